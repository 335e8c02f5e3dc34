"""The record of a run under way. Off rank 0 it does nothing, so that nobody has to ask which process this is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from rich.console import RenderableType

from cnnexp.builders.loggers import build_loggers, close_loggers, log_result
from cnnexp.fit.console import RunLog
from cnnexp.fit.gradients import GradientNorms
from cnnexp.report.gradients import FILE as GRADIENTS
from cnnexp.report.gradients import draw_gradients, gradient_summary
from cnnexp.runs.atomic import write_json
from cnnexp.runs.data_record import DataRecord, write_data_record
from cnnexp.runs.metrics import MetricsFile
from cnnexp.runs.read import read_metrics
from cnnexp.runs.write import RunWriter

METRICS = "metrics.csv"


class Recorder:
    """What is written down of a run.

    Args:
        log: of the terminal and the run's own. writer: of the run's folder; None in every process but the first.
    """

    def __init__(self, log: RunLog, writer: RunWriter | None) -> None:
        self.log = log
        self._writer = writer
        self._began = time.perf_counter()
        self.loggers: list[Logger] = []
        self.metrics: MetricsFile | None = None
        self.gradients: GradientNorms | None = None

    @property
    def folder(self) -> Path | None:
        """The run's; None where this process writes nothing."""
        return None if self._writer is None else self._writer.folder

    @property
    def seconds(self) -> float:
        """Since this process began with the run."""
        return time.perf_counter() - self._began

    def begin(self, device: str) -> None:
        """Say in the record that the run is under way, and on what."""
        if self._writer is not None:
            self._writer.start()
            self.log.open(self._writer.folder)
            self._writer.update(device=device)

    def note_data(self, record: DataRecord) -> None:
        """Which samples the run stands on."""
        if self._writer is not None:
            write_data_record(self._writer.folder, record)
            self._writer.update(data=record.digest())

    def note(self, name: str, content: Mapping[str, Any]) -> None:
        """A JSON file of its own in the run's folder."""
        if self._writer is not None:
            write_json(self._writer.folder / name, dict(content))

    def open_files(self, config: Mapping[str, Any]) -> None:
        """metrics.csv, the loggers and, where they are asked for, gradient norms."""
        wish = config["logger"]["gradients"]
        file = None
        if self._writer is not None:
            self.metrics = MetricsFile(self._writer.folder / METRICS)
            self.loggers = build_loggers(config, self._writer.folder)
            file = MetricsFile(self._writer.folder / GRADIENTS) if wish else None
        if wish:
            self.gradients = GradientNorms(file, None if wish is True else wish)

    def rewind(self, step: int, steps_per_epoch: int) -> None:
        """Take back what was written after a step, which the run goes on from."""
        if self.metrics is not None:
            self.metrics.rewind(step)
        if self.gradients is not None:
            self.gradients.rewind(step, steps_per_epoch)

    def add_results(self, results: Mapping[str, float], epoch: int, step: int) -> None:
        """The test's metrics, into metrics.csv and to the loggers."""
        if self.metrics is not None:
            self.metrics.add({"epoch": epoch, "step": step, **results})
        for logger in self.loggers:
            logger.log_metrics(dict(results), step=step)

    def metrics_rows(self) -> list[dict[str, float | None]]:
        """What metrics.csv holds."""
        path = None if self.folder is None else self.folder / METRICS
        return list(read_metrics(path)) if path is not None and path.exists() else []

    def write_summary(self, summary: dict[str, Any]) -> None:
        """summary.json, and its figures to the loggers."""
        if self._writer is None:
            return
        if self.gradients is not None and self.gradients.rows:
            summary["gradients"] = gradient_summary(self.gradients.rows)
            path = self._writer.folder / "pictures" / "gradients.png"
            draw_gradients({self._writer.id: self.gradients.rows}, path, self._writer.id)
        self._writer.write_summary(summary)

    def log_pictures(self, summary: Mapping[str, Any]) -> None:
        """Figures and pictures, for a logger that has a place for them."""
        if self._writer is not None:
            log_result(self.loggers, summary, self._writer.folder / "pictures")

    def show(self, shown: RenderableType) -> None:
        """Something for the terminal alone."""
        if self._writer is not None:
            self.log.console.print(shown, soft_wrap=False)

    def finish(self, status: str, error: str | None, *, partial: bool) -> None:
        """The end of the run, however it came."""
        close_loggers(self.loggers, status)
        if self._writer is not None:
            self.log.note(f"{status}" + (f": {error}" if error else ""))
            self._writer.finish(status, self.seconds, partial=partial, error=error)

    def discard(self) -> None:
        """Leave nothing of a new run that never began to train."""
        if self._writer is not None and not (self._writer.folder / METRICS).exists():
            self._writer.discard()
