"""The parts of an optimizer step that depend on precision, on processes, and on how a batch is cut."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel


def backward(module: pl.LightningModule, loss: Tensor) -> None:
    """Gradients of a loss, as this run's precision and processes want them."""
    kind = loss.device.type
    if torch.is_autocast_enabled(kind):
        with torch.autocast(kind, enabled=False):  # the backward pass has its types from the forward one
            module.manual_backward(loss)
    elif module.trainer.world_size == 1:
        loss.backward()
    else:
        module.manual_backward(loss)


def unscale(trainer: pl.Trainer, optimizer: torch.optim.Optimizer) -> None:
    """True gradients, before something looks at them: with fp16 they are scaled to stay above its smallest number."""
    scaler = _scaler(trainer)
    if scaler is not None:
        scaler.unscale_(optimizer)


def make_step(trainer: pl.Trainer, optimizer: torch.optim.Optimizer) -> None:
    """The optimizer's step; with fp16 it is left out where a gradient overflowed."""
    scaler = _scaler(trainer)
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()


def gradients_shared(trainer: pl.Trainer, shared: bool) -> AbstractContextManager[Any]:
    """Where processes are to wait for each other in the backward pass or, for all but a batch's last part, not."""
    if not shared and isinstance(trainer.model, DistributedDataParallel):
        return trainer.model.no_sync()
    return nullcontext()


def cut(batch: dict[str, Tensor], parts: int) -> list[dict[str, Tensor]]:
    """A batch as up to so many smaller ones of nearly equal size, in order."""
    pieces = {name: value.chunk(parts) for name, value in batch.items()}
    count = min(len(one) for one in pieces.values())
    return [{name: value[place] for name, value in pieces.items()} for place in range(count)]


def _scaler(trainer: pl.Trainer) -> torch.amp.GradScaler | None:
    return getattr(trainer.precision_plugin, "scaler", None)
