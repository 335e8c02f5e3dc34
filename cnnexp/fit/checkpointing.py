"""Keeps a run safe: the last state to go on from, the best weights, and when to stop.

Lightning's own checkpoint callback loses the validation of an epoch that is resumed at its last batch, and the best
score when a folder is moved. This one saves after a batch that is not the epoch's last, or after the whole epoch with
its validation; never in between. Each file is replaced atomically.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as distributed
from pytorch_lightning.callbacks import Checkpoint

from cnnexp.errors import InputError
from cnnexp.fit.module import TaskModule
from cnnexp.fit.stopping import StopRequested, StopSignal
from cnnexp.runs.atomic import replacing
from cnnexp.runs.checkpoints import BEST, LAST, kept_epochs, of_epoch
from cnnexp.runs.write import disk_error

STATE_KEY = "cnnexp.checkpointing"
PROGRESS = frozenset(
    {"step", "epochs_done", "stopped_early", "best_score", "best_epoch", "best_results", "waited", "reference"}
)
RANKS_LISTEN_EVERY = 10  # batches between asking the other processes whether one was told to stop


class Checkpointing(Checkpoint):
    """Saves ``last.ckpt`` and ``best.ckpt`` and ends a run that should end.

    Args:
        folder: the run's. monitor: name of the metric to judge by; None takes every epoch as better than the last.
        mode: max or min. every_steps: batches between saves inside an epoch. max_steps: stop after so many.
        patience: epochs without a better score before the run ends. min_delta: how much better counts.
        keep_epochs: whether the weights after each epoch stay too, as ``best.ckpt`` has them.

    Raises:
        InputError: at the end of the first epoch, when nothing measures ``monitor``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        monitor: str | None,
        mode: str,
        every_steps: int | None,
        max_steps: int | None,
        patience: int | None,
        min_delta: float,
        signal: StopSignal,
        keep_epochs: bool = False,
    ) -> None:
        self.folder = folder
        self.every_steps = every_steps
        self.step = 0
        self.epochs_done = 0
        self.stopped_early = False
        self.best_score: float | None = None
        self.best_epoch: int | None = None
        self.best_results: dict[str, float] = {}
        self._monitor = monitor
        self._mode = mode
        self._max_steps = max_steps
        self._patience = patience
        self._min_delta = min_delta
        self._signal = signal
        self._keep_epochs = keep_epochs
        self._waited = 0
        self._reference: float | None = None

    @property
    def state_key(self) -> str:
        return STATE_KEY

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "epochs_done": self.epochs_done,
            "stopped_early": self.stopped_early,
            "best_score": self.best_score,
            "best_epoch": self.best_epoch,
            "best_results": dict(self.best_results),
            "waited": self._waited,
            "reference": self._reference,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.step = state_dict["step"]
        self.epochs_done = state_dict["epochs_done"]
        self.best_score = state_dict["best_score"]
        self.best_epoch = state_dict["best_epoch"]
        self.best_results = dict(state_dict["best_results"])
        self._waited = state_dict["waited"]
        self._reference = state_dict["reference"]

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        return None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._signal.install()
        if trainer.is_global_zero:
            self._forget_later_epochs()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, TaskModule)
        self.step = trainer.current_epoch * pl_module.steps_per_epoch + batch_idx + 1
        if batch_idx + 1 == trainer.num_training_batches:
            return
        status = self._status_to_stop_with(trainer)
        if status or (self.every_steps and self.step % self.every_steps == 0):
            self._save_last(trainer)
        if status:
            raise StopRequested(status, self.step)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, TaskModule)
        self.epochs_done = trainer.current_epoch + 1
        self._judge(trainer, pl_module)
        if self._keep_epochs:
            self._save_weights(trainer, pl_module, of_epoch(self.epochs_done), self._score(pl_module))
        status = None if self._ends(trainer) else self._status_to_stop_with(trainer, at_epoch_end=True)
        self._save_last(trainer)
        if status:
            raise StopRequested(status, self.step)
        if self.stopped_early:
            trainer.should_stop = True

    def _judge(self, trainer: pl.Trainer, task: TaskModule) -> None:
        """Keep the weights if this epoch's score is the best so far, and count the epochs without a better one."""
        score = self._score(task)
        if self._beats(score, self.best_score, 0.0):
            self.best_score, self.best_epoch, self.best_results = score, self.epochs_done, dict(task.results)
            self._save_weights(trainer, task, BEST, score)
        if self._beats(score, self._reference, self._min_delta):
            self._reference, self._waited = score, 0
        else:
            self._waited += 1
        self.stopped_early = self._patience is not None and self._waited >= self._patience

    def _score(self, task: TaskModule) -> float | None:
        if self._monitor is None:
            return None
        if self._monitor not in task.results:
            measured = ", ".join(sorted(task.results))
            raise InputError(f"task.monitor={self._monitor}: not measured by this task; one of {measured}")
        return task.results[self._monitor]

    def _beats(self, score: float | None, other: float | None, by: float) -> bool:
        """Without a monitor every epoch is better than the last; any number is better than NaN."""
        if score is None or other is None:
            return True
        if math.isnan(other):
            return not math.isnan(score)
        return (score - other if self._mode == "max" else other - score) > by

    def _ends(self, trainer: pl.Trainer) -> bool:
        return self.stopped_early or self.epochs_done == trainer.max_epochs

    def _status_to_stop_with(self, trainer: pl.Trainer, at_epoch_end: bool = False) -> str | None:
        if self._max_steps is not None and self.step >= self._max_steps:
            return "stopped"
        wished = self._signal.wished
        if trainer.world_size > 1:
            if not at_epoch_end and self.step % RANKS_LISTEN_EVERY:
                return None
            flag = torch.tensor(float(wished), device=trainer.strategy.root_device)
            distributed.all_reduce(flag)
            wished = bool(flag.item())
        return "interrupted" if wished else None

    def _save_last(self, trainer: pl.Trainer) -> None:
        path = self.folder / LAST
        if trainer.is_global_zero:
            with _named_disk_errors(self.folder), replacing(path) as temporary:
                trainer.save_checkpoint(temporary)
        else:
            trainer.save_checkpoint(path)  # writes nothing here, but all processes meet in it

    def _save_weights(self, trainer: pl.Trainer, task: TaskModule, name: str, score: float | None) -> None:
        if not trainer.is_global_zero:
            return
        net = {name: value.detach().cpu() for name, value in task.judged_net.state_dict().items()}
        content = {"net": net, **_beside(task), "epoch": self.epochs_done, "score": score}
        with _named_disk_errors(self.folder), replacing(self.folder / name) as temporary:
            torch.save(content, temporary)

    def _forget_later_epochs(self) -> None:
        """Of a run that was killed between weights and state of an epoch, or whose state is lost: they come again."""
        for epoch, name in kept_epochs(self.folder).items():
            if epoch > self.epochs_done:
                (self.folder / name).unlink()


def _beside(task: TaskModule) -> dict[str, dict[str, torch.Tensor]]:
    """The weights of the loss and what a validation decided, where there are such."""
    parts = {"loss": task.loss, "decided": task.decided}
    return {
        name: {} if part is None else {key: value.detach().cpu().clone() for key, value in part.state_dict().items()}
        for name, part in parts.items()
    }


class _named_disk_errors:
    """A full disk becomes one line that says so; the checkpoint before is still there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_error(error, self.folder) from error
        if isinstance(error, RuntimeError) and "unexpected pos" in str(error):  # torch's writer, when a write fails
            raise disk_error(OSError(errno.ENOSPC, "full"), self.folder) from error


def progress_of(checkpoint: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What the checkpoint says of the run's progress (``Checkpointing.state_dict``).

    Raises:
        InputError: it does not say.
    """
    callbacks = checkpoint.get("callbacks")
    state = callbacks.get(STATE_KEY) if isinstance(callbacks, Mapping) else None
    if not isinstance(state, Mapping) or not PROGRESS.issubset(state) or not isinstance(state["step"], int):
        raise InputError(f"{path}: not a checkpoint that a run can go on from; begin a new run with cnnexp train")
    return dict(state)
