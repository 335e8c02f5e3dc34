"""A learner and a step of it, without Lightning."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.tasks.base import Task
from cnnexp.training.learner import Learner, Learnt
from tests.tasks import tiny

STILL = partial(torch.optim.SGD, lr=0.0)
"""Leaves the gradients behind, and the weights where they are."""
Batch = dict[str, Tensor]


class Plain:
    """Precision and processes without Lightning."""

    scaler = None

    def __init__(self, world_size: int = 1) -> None:
        self.world_size = world_size
        self.asked: list[bool] = []

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def shared(self, shared: bool) -> AbstractContextManager[object]:
        self.asked.append(shared)
        return nullcontext()


def learner(task: Task, **changes: Any) -> Learner:
    """A learner with its optimizers, as a trainer that leaves them alone would have it."""
    made = Learner(task, tiny.recipe(**changes))
    made.optimizers = dict(zip(task.turns, made.make_optimizers(), strict=True))
    return made


def learn(made: Learner, batch: Batch, engine: Plain | None = None) -> Learnt:
    """A step on a batch as it is stored."""
    return made.learn(made.task.prepare(batch, True), engine or Plain(), lambda output: None)  # type: ignore[attr-defined]


def gradients(net: nn.Module) -> list[Tensor]:
    return [weight.grad.clone() for weight in net.parameters() if weight.grad is not None]


def assert_near(some: Sequence[Tensor], others: Sequence[Tensor], rtol: float = 1e-5) -> None:
    for one, other in zip(some, others, strict=True):
        torch.testing.assert_close(one, other, rtol=rtol, atol=1e-6 * float(other.abs().max()) + 1e-9)
