"""Writes down what a run measures while it trains: metrics.csv, the loggers, the throughput."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch.distributed as distributed
from pytorch_lightning.callbacks import Checkpoint

from cnnexp.fit.module import TaskModule, not_finite
from cnnexp.inputs.base import count_of
from cnnexp.runs.metrics import MetricsFile


class Recording(Checkpoint):
    """One row an epoch, and one for every so many batches. (A ``Checkpoint``, so that it comes after the task's hook.)

    Args:
        metrics: where rows go; None in every process but that of rank 0.
        every_steps: batches between rows for single batches.
        show: told the number of every finished epoch and its results.
    """

    def __init__(
        self, metrics: MetricsFile | None, every_steps: int, show: Callable[[int, dict[str, float]], None]
    ) -> None:
        self._metrics = metrics
        self._every_steps = every_steps
        self._show = show
        self.train_seconds = 0.0
        self.samples = 0
        self._began = 0.0
        self._first: tuple[int, float] | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        return None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._began = time.perf_counter()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not self._began:  # a run that goes on in mid-epoch has no epoch start
            self._began = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, TaskModule)
        self.samples += count_of(batch) * trainer.world_size
        step = trainer.current_epoch * pl_module.steps_per_epoch + batch_idx + 1
        due = step % self._every_steps == 0
        if due or pl_module.device.type == "cpu":
            self._watch(trainer, pl_module, step, due)
        if batch_idx + 1 == trainer.num_training_batches:
            self._stop_clock()

    def _watch(self, trainer: pl.Trainer, task: TaskModule, step: int, due: bool) -> None:
        assert task.batch_loss is not None
        loss = task.batch_loss
        if due and trainer.world_size > 1:
            loss = loss / trainer.world_size  # each share is scaled so that the mean is the global batch's loss
            distributed.all_reduce(loss)
        value = float(loss)
        if not math.isfinite(value):
            raise not_finite(trainer.current_epoch, step)
        if due:
            row = {"train/step_loss": value, "lr": _learning_rate(trainer)}
            self._write(trainer, trainer.current_epoch + 1, step, row)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, TaskModule)
        epoch = trainer.current_epoch + 1
        row = pl_module.results | {"lr": _learning_rate(trainer)}
        self._write(trainer, epoch, epoch * pl_module.steps_per_epoch, row)
        self._show(epoch, pl_module.results)

    def stop_clock(self) -> None:
        """Count the time of an epoch that ended early."""
        self._stop_clock()

    def _stop_clock(self) -> None:
        if self._began:
            self.train_seconds += time.perf_counter() - self._began
            self._first = self._first or (self.samples, self.train_seconds)
        self._began = 0.0

    @property
    def images_per_second(self) -> float | None:
        """Of the training steps, once all is warm: without the first epoch of this process, where others follow it."""
        samples, seconds = self._first or (0, 0.0)
        if self.train_seconds > seconds:
            samples, seconds = self.samples - samples, self.train_seconds - seconds
        return samples / seconds if seconds else None

    def _write(self, trainer: pl.Trainer, epoch: int, step: int, row: dict[str, float]) -> None:
        if self._metrics is not None:
            self._metrics.add({"epoch": epoch, "step": step, **row})
        for logger in trainer.loggers:
            logger.log_metrics({**row, "epoch": epoch}, step=step)


def _learning_rate(trainer: pl.Trainer) -> float:
    return float(trainer.optimizers[0].param_groups[0]["lr"])
