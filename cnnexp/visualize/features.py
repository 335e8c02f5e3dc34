"""What a net makes of a sample before it answers: a row of numbers for each, in which samples can be near or far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.models.stages import output_layers
from cnnexp.visualize.scores import Tapped

CODE = "the code"


@dataclass(frozen=True)
class Features:
    """A row of numbers for each sample, float32 (N, D) on the CPU, and what they are, in words."""

    values: Tensor
    what: str


@torch.no_grad()
def features_of(net: nn.Module, batches: Iterable[Tensor], layer: str | None = None) -> Features:
    """The code of nets that have one, else what goes into the net's head; or what a layer answers.

    Maps are averaged over their places, so that a channel is a number; of a variational autoencoder it is the mean of
    the codes.

    Args:
        net: in evaluation mode. batches: prepared, (B, …), one at least. layer: dotted.

    Raises:
        ValueError: a layer that answers something else than a tensor with a row for each sample, or whose features are
            the samples themselves.
    """
    if layer is None and hasattr(net, "encode"):
        return Features(torch.cat([_pooled(_code(net, x), x) for x in batches]), CODE)
    name = output_layers(net)[0] if layer is None else layer
    tap = _into if layer is None else _out_of
    rows, averaged = [], False
    for x in batches:
        found = tap(net, name, x)
        rows.append(_pooled(found, x))
        averaged = found.ndim > 2
    what = f"what goes into {name}" if layer is None else f"the answer of {name}"
    return Features(torch.cat(rows), f"{what}, averaged over places" if averaged else what)


def _code(net: Any, x: Tensor) -> Any:
    found = net.encode(x)
    return found[0] if isinstance(found, tuple) else found


def _into(net: nn.Module, name: str, x: Tensor) -> Any:
    caught: list[Any] = []
    hook = net.get_submodule(name).register_forward_pre_hook(lambda _, given: caught.append(given[0]))
    try:
        net(x)
    finally:
        hook.remove()
    return caught[-1] if caught else None


def _out_of(net: nn.Module, name: str, x: Tensor) -> Tensor:
    with Tapped(net, name) as tapped:
        net(x)
        return tapped.output


def _pooled(found: Any, x: Tensor) -> Tensor:
    """(B, C, …) → (B, C); of pictures cut into a row of patches (B, T, C), as transformers have them, the same."""
    if not isinstance(found, Tensor) or found.ndim < 2 or len(found) != len(x):
        raise ValueError("answers no tensor with a row for each sample")
    if found.numel() == x.numel() and torch.equal(found.flatten(1), x.flatten(1)):
        raise ValueError("sees the samples themselves")
    if found.ndim == 3 and x.ndim == 4:
        found = found.mean(1)
    elif found.ndim > 2:
        found = found.flatten(2).mean(2)
    return found.float().cpu()
