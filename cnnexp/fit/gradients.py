"""Gradient norms of every layer while a net trains: gradients.csv in the run's folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from torch import nn

from cnnexp.fit.module import TaskModule
from cnnexp.report.gradients import CLIPPED, PREFIX, TOTAL
from cnnexp.runs.metrics import MetricsFile


class GradientNorms(Checkpoint):
    """Means of the gradients' 2-norms, over the steps of an epoch or over so many steps; a row for each.

    A layer's norm is that of its weights with two or more dimensions, without bias. ``total`` is over all parameters.
    Both are of the gradient that the optimizer would get without clipping, the penalty's included; ``clipped`` is the
    part of the steps whose gradient was longer than ``gradient_clip_norm``. Steps whose gradient is not finite (an
    overflow in half precision, which makes no step) do not count. (A ``Checkpoint``, so that it comes after the task's
    hook, and its sums go into checkpoints: a resumed run has the same rows.)

    Args:
        file: where rows go; None in every process but that of rank 0. The gradients are the same in all.
        every_steps: batches that a row is about; None for an epoch's.
    """

    def __init__(self, file: MetricsFile | None, every_steps: int | None) -> None:
        self._file = file
        self._every_steps = every_steps
        self._names: list[str] = []
        self._weights: list[nn.Parameter] = []
        self._all: list[nn.Parameter] = []
        self._limit: float | None = None
        self._sums = torch.zeros(0)
        self._counts = torch.zeros(0)
        self._epoch = self._step = 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        assert isinstance(pl_module, TaskModule)
        named = [(name, weight) for name, weight in pl_module.net.named_parameters()]
        layers = [(name.removesuffix(".weight"), weight) for name, weight in named if weight.ndim >= 2]
        self._names = [f"{PREFIX}{name}" for name, _ in layers]
        self._weights = [weight for _, weight in layers]
        self._all = [*self._weights, *(weight for _, weight in named if weight.ndim < 2)]
        self._limit = pl_module.learning.recipe.regularization.gradient_clip_norm
        self._empty()
        pl_module.learning.gradients_seen = self._add

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        assert isinstance(pl_module, TaskModule)
        pl_module.learning.gradients_seen = None

    def state_dict(self) -> dict[str, Any]:
        return {"sums": self._sums.cpu(), "counts": self._counts.cpu()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._sums, self._counts = state_dict["sums"].clone(), state_dict["counts"].clone()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, TaskModule)
        self._epoch = trainer.current_epoch + 1
        self._step = trainer.current_epoch * pl_module.steps_per_epoch + batch_idx + 1
        if self._every_steps is not None and self._step % self._every_steps == 0:
            self._write(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._every_steps is None:
            self._write(trainer)

    def rewind(self, step: int, steps_per_epoch: int) -> None:
        """Keep the rows that were complete at a step: that of a last, shorter stretch goes, its steps come again."""
        window = self._every_steps or steps_per_epoch
        if self._file is not None:
            self._file.rewind(step if step % window == 0 else step - 1)

    def close(self, trainer: pl.Trainer | None = None) -> None:
        """Write what there is of a stretch that was not finished."""
        if self._counts.any():
            self._write(trainer)

    @property
    def rows(self) -> Sequence[Mapping[str, float | None]]:
        """What was written so far."""
        return self._file.rows if self._file is not None else ()

    @torch.no_grad()
    def _add(self) -> None:
        """Of the gradients as they are now."""
        present = [weight.grad is not None for weight in self._all]
        norms = torch.stack(torch._foreach_norm([weight.grad for weight in self._all if weight.grad is not None]))
        norms = norms.float()
        total = norms.norm()
        if not all(present):  # frozen layers
            there = torch.tensor(present, device=norms.device)
            norms = norms.new_zeros(len(present)).masked_scatter(there, norms)
            seen = there[: len(self._weights)].float()
        else:
            seen = norms.new_ones(len(self._weights))
        last = norms.new_ones(2 if self._limit is not None else 1)
        values = [norms[: len(self._weights)], total[None]]
        if self._limit is not None:
            values.append((total > self._limit).float()[None])
        finite = total.isfinite()
        self._sums = self._sums.to(norms.device) + torch.where(finite, torch.cat(values), 0)
        self._counts = self._counts.to(norms.device) + torch.where(finite, torch.cat([seen, last]), 0)

    def _write(self, trainer: pl.Trainer | None) -> None:
        names = [*self._names, TOTAL, *([CLIPPED] if self._limit is not None else [])]
        means = (self._sums / self._counts).tolist()
        row = {name: None if math.isnan(mean) else mean for name, mean in zip(names, means, strict=True)}
        self._empty()
        if self._file is not None:
            self._file.add({"epoch": self._epoch, "step": self._step, **row})
        for logger in trainer.loggers if trainer is not None else ():
            known = {f"gradients/{name}": value for name, value in row.items() if value is not None}
            logger.log_metrics(known, step=self._step)

    def _empty(self) -> None:
        size = len(self._names) + (2 if self._limit is not None else 1)
        self._sums, self._counts = torch.zeros(size), torch.zeros(size)
