"""Memory of a training step, found by making the step on the meta device, where tensors have sizes and no contents."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cnnexp.anatomy.shapes import run

Optimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


@dataclass(frozen=True)
class Memory:
    """Bytes of tensors at the fullest moment of a training step.

    Args:
        weights: parameters and buffers. optimizer: what it keeps from step to step.
        step: the batch, the activations that wait for the backward pass, gradients, and what is passing through.
    """

    weights: int
    optimizer: int
    step: int

    @property
    def total(self) -> int:
        return self.weights + self.optimizer + self.step


def training_memory(net: nn.Module, batch: Tensor, optimizer: Optimizer, others: Sequence[Tensor] = ()) -> Memory:
    """Go through one training step (forward, backward) on the meta device and add up what lives at the same time.

    An estimate: what a kernel needs for itself while it works (a convolution's workspace, often as much as its output),
    the allocator's unused parts and the program itself are not in it. All is in the precision of the net.

    Args:
        net: on the meta device; its gradients are gone afterwards. batch: (B, C, ...), on the meta device.
        others: what else the net is called with.
    """
    live = Live()
    with live:
        for one in (batch, *others):
            live.add(one)
        one_step(net, batch, *others)
    net.zero_grad(set_to_none=True)
    kept = [*net.parameters(), *net.buffers()]
    weights = sum(one.numel() * one.element_size() for one in kept)
    return Memory(weights, _state_bytes(net, optimizer), live.peak)


def one_step(net: nn.Module, *batch: Tensor) -> None:
    """Forward and backward in training mode, with the sum of all outputs as the loss."""
    training = net.training
    try:
        outputs = [one for one in tree_leaves(net.train()(*batch)) if isinstance(one, Tensor)]
        torch.stack([one.sum() for one in outputs if one.requires_grad]).sum().backward()
    finally:
        net.train(training)


class Live(TorchDispatchMode):
    """Adds up the bytes of all tensors that were made under it and not yet freed.

    Attributes:
        bytes: now. peak: at most.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bytes = self.peak = 0
        self._known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = run(func, args, kwargs or {})
        if isinstance(out, Tensor):
            self.add(out)
        elif isinstance(out, (tuple, list)):
            for one in out:
                if isinstance(one, Tensor):
                    self.add(one)
        return out

    def add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return

        def freed(_: Any) -> None:
            self.bytes -= size
            del self._known[key]

        self._known[key] = weakref.ref(storage, freed)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)


def _state_bytes(net: nn.Module, optimizer: Optimizer) -> int:
    """What the optimizer keeps, found by asking it for a step of a parameter with a single number."""
    one = nn.Parameter(torch.zeros(1, device="cpu"))
    one.grad = torch.ones_like(one)
    asked = optimizer([one])
    asked.step()
    kept = sum(1 for value in asked.state[one].values() if isinstance(value, Tensor) and value.ndim == one.ndim)
    return kept * sum(p.numel() * p.element_size() for p in net.parameters() if p.requires_grad)
