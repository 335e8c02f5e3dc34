"""Progress bars while training and evaluating, on a terminal; elsewhere nothing is shown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cnnexp.fit.module import TaskModule

REDRAW_S = 0.1


class ProgressBars(Callback):
    """One bar for the whole run, and a line with the scores after each epoch.

    Args:
        console: where to draw; nothing is drawn unless it is a terminal.
        epochs: of the run. monitor: the metric that the line shows beside the losses.
    """

    def __init__(self, console: Console, epochs: int, monitor: str | None) -> None:
        self._console = console
        self._epochs = epochs
        self._monitor = monitor
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        self._drawn = 0.0
        self._epoch_began = time.perf_counter()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, TaskModule)
        if not self._console.is_terminal:
            return
        self._progress = _bars(self._console)
        total = self._epochs * pl_module.steps_per_epoch
        self._bar = self._progress.add_task("epoch 1", total=total, loss="")
        self._progress.start()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._epoch_began = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._progress is None or time.perf_counter() - self._drawn < REDRAW_S:
            return
        assert isinstance(pl_module, TaskModule) and pl_module.batch_loss is not None and self._bar is not None
        self._drawn = time.perf_counter()
        step = trainer.current_epoch * pl_module.steps_per_epoch + batch_idx + 1
        self._progress.update(
            self._bar,
            completed=step,
            description=f"epoch {trainer.current_epoch + 1}/{self._epochs}",
            loss=f"loss {float(pl_module.batch_loss):.3f}",
        )

    @property
    def shown(self) -> Progress | None:
        """What draws them, while they are on the terminal."""
        return self._progress

    def line(self, epoch: int, results: dict[str, float]) -> None:
        """Print the scores of an epoch above the bar."""
        if self._progress is None:
            return
        names = ["train/loss", "val/loss", *([self._monitor] if self._monitor else [])]
        shown = "  ".join(f"{name} {results[name]:.4f}" for name in dict.fromkeys(names) if name in results)
        seconds = time.perf_counter() - self._epoch_began
        self._progress.console.print(
            f"epoch {epoch}/{self._epochs}  {shown}  [dim]{seconds:.0f} s[/dim]", highlight=False
        )

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class EvaluationBars(Callback):
    """A bar for the batches of a validation or test.

    Args:
        console: where to draw; nothing is drawn unless it is a terminal. below: bars of a training that are on the
            terminal at that time, which it stands below.
    """

    def __init__(self, console: Console, below: ProgressBars | None = None) -> None:
        self._console = console
        self._below = below
        self._progress: Progress | None = None
        self._bar: TaskID | None = None

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._open("validation", trainer.num_val_batches)

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._open("test", trainer.num_test_batches)

    def on_validation_batch_end(self, *arguments: Any, **named: Any) -> None:
        self._advance()

    def on_test_batch_end(self, *arguments: Any, **named: Any) -> None:
        self._advance()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close()

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._close()

    def _open(self, what: str, batches: Sequence[int | float]) -> None:
        if not self._console.is_terminal:
            return
        shared = None if self._below is None else self._below.shown
        self._progress = shared or _bars(self._console)
        self._bar = self._progress.add_task(what, total=sum(batches), loss="")
        if shared is None:
            self._progress.start()

    def _advance(self) -> None:
        if self._progress is not None and self._bar is not None:
            self._progress.advance(self._bar)  # drawn ten times a second by a thread of its own

    def _close(self) -> None:
        if self._progress is None or self._bar is None:
            return
        self._progress.remove_task(self._bar)
        if self._below is None or self._progress is not self._below.shown:
            self._progress.stop()
        self._progress = self._bar = None


def evaluation_bars(console: Console) -> list[pl.Callback]:
    """Bars for an evaluation outside of a training; none where nobody would see them."""
    return [EvaluationBars(console)] if console.is_terminal else []


def _bars(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(compact=True),
    )
    return Progress(*columns, console=console, transient=True, expand=True)
