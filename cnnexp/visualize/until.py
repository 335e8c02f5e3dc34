"""A net as far as one of its layers: what stands behind is not run, so that it cannot refuse a picture's size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.visualize.hooks import Note, looking_on

Reach = Callable[[Tensor], Tensor]
"""Prepared pictures (B, C, H, W) → (B, K, …)."""
RECTIFIERS = (nn.ReLU, nn.ReLU6)
"""Where they answer 0, no gradient comes back through them."""


class _Reached(Exception):
    """The forward pass has come to the layer."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def until(net: nn.Module, layer: str, *, before_rectifier: bool = False) -> Reach:
    """What a layer answers, in the first of its calls.

    Args:
        layer: dotted. before_rectifier: of a rectifier take what it is given, which has a gradient below 0 too.
    """
    module = net.get_submodule(layer)
    given = before_rectifier and isinstance(module, RECTIFIERS)

    def reach(x: Tensor) -> Tensor:
        hook = module.register_forward_pre_hook(_before) if given else module.register_forward_hook(_behind)
        try:
            net(x)
        except _Reached as reached:
            assert isinstance(reached.value, Tensor), f"{layer}: answers no tensor"
            return reached.value
        finally:
            hook.remove()
        raise ValueError(f"{layer}: was not called")

    return reach


def _before(_: nn.Module, given: Any) -> None:
    raise _Reached(given[0])


def _behind(_: nn.Module, __: Any, output: Any) -> None:
    raise _Reached(output)


@torch.no_grad()
def shapes_of(net: nn.Module, x: Tensor) -> dict[str, tuple[int, ...]]:
    """Of the modules that answer a tensor for each picture, in the order in which they do: the shape of one picture's.

    Args:
        x: prepared pictures (B, C, H, W).
    """
    found: dict[str, tuple[int, ...]] = {}

    def noting(name: str) -> Note:
        def note(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim > 1 and len(output) == len(x):
                found.setdefault(name, tuple(output.shape[1:]))

        return note

    with looking_on(net, noting):
        net(x)
    return found


@torch.no_grad()
def before_last_rectifier(net: nn.Module, x: Tensor) -> str | None:
    """The last layer with weights, where a rectifier follows it; None where nothing rectifies the net's answer.

    A logit that a rectifier made 0 has no gradient, and stays 0 however its picture is changed (SqueezeNet ends in a
    convolution, a rectifier and an average). What is no module of its own is not seen.
    """
    last: str | None = None
    rectified = False

    def noting(name: str) -> Note:
        def note(module: nn.Module, _: Any, __: Any) -> None:
            nonlocal last, rectified
            if next(module.parameters(recurse=False), None) is not None:
                last, rectified = name, False
            elif isinstance(module, RECTIFIERS):
                rectified = True

        return note

    with looking_on(net, noting):
        net(x)
    return last if rectified else None
