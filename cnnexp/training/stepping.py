"""The parts of an optimizer step that depend on precision, on processes, and on how a batch is cut."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import torch
import torch.distributed as distributed
from torch import Tensor

from cnnexp.losses.term import at_least_one


class Engine(Protocol):
    """What a run's precision and its processes make of a backward pass."""

    @property
    def world_size(self) -> int: ...

    @property
    def scaler(self) -> torch.amp.GradScaler | None:
        """With fp16, what keeps gradients above its smallest number."""
        ...

    def backward(self, loss: Tensor) -> None:
        """Gradients of a loss."""
        ...

    def shared(self, shared: bool) -> AbstractContextManager[object]:
        """Where processes are to wait for each other in the backward pass or, for all but a batch's last part, not."""
        ...


def unscale(engine: Engine, optimizer: torch.optim.Optimizer) -> None:
    """True gradients, before something looks at them: with fp16 they are scaled to stay above its smallest number."""
    if engine.scaler is not None:
        engine.scaler.unscale_(optimizer)


def make_step(engine: Engine, optimizer: torch.optim.Optimizer) -> None:
    """The optimizer's step; with fp16 it is left out where a gradient overflowed."""
    if engine.scaler is None:
        optimizer.step()
    else:
        engine.scaler.step(optimizer)
        engine.scaler.update()


def cut(batch: dict[str, Tensor], parts: int) -> list[dict[str, Tensor]]:
    """A batch as up to so many smaller ones of nearly equal size, in order."""
    pieces = {name: value.chunk(parts) for name, value in batch.items()}
    count = min(len(one) for one in pieces.values())
    return [{name: value[place] for name, value in pieces.items()} for place in range(count)]


def share_of(count: int | Tensor, engine: Engine) -> Tensor | None:
    """What makes the mean of the processes' gradients that of the global batch: count * world / sum of counts.

    A loss over no items was divided by 1 and not by 0, and is weighed so. None where all processes have one count.
    """
    if isinstance(count, int) or engine.world_size == 1:
        return None
    total = count.detach().clone().float()
    distributed.all_reduce(total)
    return at_least_one(count) * engine.world_size / at_least_one(total)
