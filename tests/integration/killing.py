"""Kills this process with SIGKILL, as a power cut would, at a chosen place of a training."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.module import TaskModule


def kill_at(place: str) -> None:
    """``WHERE:N``: at the N-th time (from 1) that a thing happens.

    batch: before a training batch is taken. after_batch: after one, with everything that is saved then. validation:
    before a validation batch. epoch_end: after the validation, before anything of the epoch is saved. saved: right
    after the epoch was saved. test: before a test batch.
    """
    where, number = place.split(":")
    target, name, late = {
        "batch": (TaskModule, "training_step", False),
        "after_batch": (Checkpointing, "on_train_batch_end", True),
        "validation": (TaskModule, "validation_step", False),
        "epoch_end": (Checkpointing, "on_train_epoch_end", False),
        "saved": (Checkpointing, "on_train_epoch_end", True),
        "test": (TaskModule, "test_step", False),
    }[where]
    setattr(target, name, _killing(getattr(target, name), int(number), late))


def _killing(function: Callable[..., Any], at: int, late: bool) -> Callable[..., Any]:
    seen = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == at and not late:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        if seen == at and late:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped
