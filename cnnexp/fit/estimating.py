"""Says before the first step how long the run will take and how much memory, and how often it will be saved."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
import torch.distributed as distributed
from pytorch_lightning.callbacks import Callback

from cnnexp.data.module import PictureData
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.console import RunLog
from cnnexp.fit.estimate import Estimate, describe_bytes, describe_step, describe_time, measure
from cnnexp.tasks.base import Task

SAVE_EVERY_S = 60.0


class Estimating(Callback):
    """Measures a training step, tells the person, and sets how many batches lie between two saves.

    Args:
        log: where it says so. data: gives the batch. checkpointing: told how often to save, if nobody else did.
        epochs: of the run. max_steps: where it will stop before its end.
    """

    def __init__(
        self, log: RunLog, data: PictureData, checkpointing: Checkpointing, epochs: int, max_steps: int | None
    ) -> None:
        self._log = log
        self._data = data
        self._checkpointing = checkpointing
        self._epochs = epochs
        self._max_steps = max_steps

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Task)
        share = self._data.batch_size // trainer.world_size
        batch = self._data.split("train").batch(torch.from_numpy(self._data.train_positions()[:share]))
        with trainer.precision_plugin.forward_context():
            estimate = _of_rank_zero(measure(pl_module, batch), trainer)
        if self._checkpointing.every_steps is None:
            self._checkpointing.every_steps = max(1, round(SAVE_EVERY_S / max(estimate.step_s, 1e-4)))
        self._say(trainer, pl_module, estimate)
        # its work is done, and every callback costs some time at every step (a new list: Lightning walks the old one)
        trainer.callbacks = [callback for callback in trainer.callbacks if callback is not self]  # type: ignore[attr-defined]

    def _say(self, trainer: pl.Trainer, task: Task, estimate: Estimate) -> None:
        total = self._epochs * task.steps_per_epoch
        steps = max(0, min(total, self._max_steps or total) - self._checkpointing.step)
        batches = _batches_of_validation(trainer, self._data)
        epochs = steps / task.steps_per_epoch
        seconds = steps * estimate.step_s + epochs * batches * estimate.evaluation_s
        where = "GPU memory" if task.device.type == "cuda" else "memory for the net and a batch"
        self._log.say(
            f"{steps:,} steps of {describe_step(estimate.step_s)}: about {describe_time(seconds)}; "
            f"{describe_bytes(estimate.memory_bytes)} of {where}"
        )


def _batches_of_validation(trainer: pl.Trainer, data: PictureData) -> int:
    share = -(-len(data.split("val")) // trainer.world_size)
    return -(-share // (data.batch_size // trainer.world_size))


def _of_rank_zero(estimate: Estimate, trainer: pl.Trainer) -> Estimate:
    """Rank 0's measurement in every process, so that all save after the same batch."""
    if trainer.world_size == 1:
        return estimate
    values = torch.tensor(
        [estimate.step_s, estimate.evaluation_s, float(estimate.memory_bytes)],
        dtype=torch.float64,
        device=trainer.strategy.root_device,
    )
    distributed.broadcast(values, src=0)
    step_s, evaluation_s, memory = values.tolist()
    return Estimate(step_s, evaluation_s, int(memory))
