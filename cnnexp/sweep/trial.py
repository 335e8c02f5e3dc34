"""A trial's folder: what it was asked to do, the lock that it lives by, its run, and how it ended."""

from __future__ import annotations

import math
import os
import platform
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnexp.config.compose import to_yaml
from cnnexp.report.plain_text import printable
from cnnexp.runs.atomic import write_json, write_text
from cnnexp.runs.checkpoints import CHECKPOINTS
from cnnexp.runs.find import is_run
from cnnexp.runs.lock import RunLock
from cnnexp.runs.read import Record, read_json, read_metrics, read_record, read_yaml
from cnnexp.runs.write import DISK_FULL

FROZEN, JOB, PROCESS, OUTPUT = "frozen.yaml", "job.json", "process.json", "output.txt"
INTERRUPTED = 130
LAST_OUTPUT_BYTES = 20_000


@dataclass(frozen=True)
class Outcome:
    """How a trial stands that no process works on.

    Attributes:
        state: new (nothing was begun), finished, failed, or cut_off. value: the best monitored score of a finished one.
        error: one line. run: its run's folder. asked: it was cut off by somebody's wish, not by a kill.
    """

    state: str
    value: float | None = None
    error: str | None = None
    run: Path | None = None
    asked: bool = False


def write_job(folder: Path, module: str, words: Sequence[str], environment: Mapping[str, str]) -> Path:
    """What a child shall run: ``python -m MODULE WORDS``."""
    content = {"module": module, "argv": list(words), "environment": dict(environment)}
    write_json(folder / JOB, content)
    return folder / JOB


def process_of(folder: Path) -> dict[str, Any]:
    """What a child said of itself; empty before it began."""
    try:
        return read_json(folder / PROCESS)
    except (OSError, ValueError):
        return {}


def output_lines(folder: Path) -> list[str]:
    """What a child printed, the end of it, without empty lines."""
    try:
        with (folder / OUTPUT).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_OUTPUT_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


class TrialFolder:
    """``trials/0007`` of a sweep; ``trials/0007-1`` is the second run of a candidate that is a mean over several."""

    def __init__(self, sweep: Path, number: int, part: int = 0, parts: int = 1) -> None:
        self.sweep = sweep.resolve()
        self._name = f"{number:04d}"
        self.path = self.sweep / "trials" / (self._name if parts == 1 else f"{self._name}-{part}")

    def lock(self) -> RunLock:
        """The lock of the whole trial, which the process that works on it holds; the folder is made for it."""
        place = self.sweep / "trials" / f".{self._name}"
        place.mkdir(parents=True, exist_ok=True)
        return RunLock(place)

    def freeze(self, config: Mapping[str, Any]) -> None:
        """Write down what the trial is to run, in a folder of its own."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.path / FROZEN, to_yaml({**config, "outputs": str(self.path.resolve())}))

    @property
    def epochs(self) -> int:
        """Of the frozen configuration."""
        return int(read_yaml(self.path / FROZEN)["epochs"])

    def prepare(self, environment: Mapping[str, str], trusted: Sequence[str]) -> Path:
        """Write the job for the process that will work on the trial: begin its run, or go on with it."""
        run, frozen = self.run(), (self.path / FROZEN).resolve()
        words = ["resume", str(run.resolve())] if run is not None else ["train", "--frozen", str(frozen)]
        trust = [word for package in trusted for word in ("--trust", package)]
        (self.path / PROCESS).unlink(missing_ok=True)
        return write_job(self.path, "cnnexp", [*words, *trust], environment)

    def run(self) -> Path | None:
        """The folder of the trial's run. One that was cut off before it was one is removed: there is nothing in it."""
        if not self.path.is_dir():
            return None
        found = None
        for folder in sorted(path for path in self.path.iterdir() if path.is_dir()):
            if (folder / "run.json").exists():
                found = folder
            elif is_run(folder) or not any(folder.iterdir()) or (folder / CHECKPOINTS).is_dir():
                shutil.rmtree(folder, ignore_errors=True)
        return found

    def curve(self, monitor: str) -> list[tuple[int, float]]:
        """The monitored metric after each epoch so far."""
        run = next((path.parent for path in self.path.glob("*/metrics.csv")), None)
        if run is None:
            return []
        try:
            rows = read_metrics(run / "metrics.csv")
        except (OSError, ValueError):  # not written yet
            return []
        return [
            (int(row["epoch"] or 0), value)
            for row in rows
            if (value := row.get(monitor)) is not None and row.get("epoch") is not None
        ]

    def outcome(self, monitor: str, mode: str) -> Outcome:
        """How the trial stands. Only under its lock."""
        run = self.run()
        if run is None:
            return self._without_run()
        record = read_record(run)
        if record.status in ("finished", "stopped"):
            return self._finished(record, monitor, mode)
        if record.status == "failed" and DISK_FULL not in str(record.error):
            return Outcome("failed", error=printable(record.error or "failed"), run=run)
        if record.status == "damaged":
            return Outcome("failed", error=f"its record is damaged: {record.problem}", run=run)
        return Outcome("cut_off", run=run, error=record.error, asked=record.status in ("interrupted", "failed"))

    def _without_run(self) -> Outcome:
        if not (self.path / OUTPUT).exists():
            return Outcome("new")
        status = self.process().get("status")
        last = self.last_line()
        if status in (None, INTERRUPTED) or DISK_FULL in last:
            return Outcome("cut_off", error=last or None, asked=status is not None)
        return Outcome("failed", error=last or f"ended with status {status}")

    def _finished(self, record: Record, monitor: str, mode: str) -> Outcome:
        values = [value for _, value in self.curve(monitor) if math.isfinite(value)]
        if not values:
            return Outcome("failed", error=f"{monitor} was never a finite number", run=record.folder)
        return Outcome("finished", value=max(values) if mode == "max" else min(values), run=record.folder)

    def last_line(self) -> str:
        """Of what its process printed last."""
        lines = output_lines(self.path)
        return printable(lines[-1].removeprefix("cnnexp train: ").removeprefix("cnnexp resume: ")) if lines else ""

    def process(self) -> dict[str, Any]:
        """What the process that works on the trial said of itself: host, pid, and its exit status when it ended."""
        return process_of(self.path)

    def stop(self) -> bool:
        """Ask the trial's process, which must be alive, to save and end; False where none has begun here yet."""
        process = self.process()
        if process.get("host") == platform.node() and process.get("status") is None and process.get("pid"):
            try:
                os.kill(int(process["pid"]), signal.SIGTERM)
            except ProcessLookupError:  # it has ended just now
                return False
            return True
        return False
