"""Trials of a sweep one after another, from start to end: forked from a warm process, or each in a fresh one."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from cnnexp.bench.cells import Cell, Rate
from cnnexp.config.compose import compose_run
from cnnexp.errors import RunFailed
from cnnexp.runs.lock import is_locked
from cnnexp.runs.read import read_json
from cnnexp.sweep.executors import Executor, Forking, Fresh
from cnnexp.sweep.trial import TrialFolder

LEAST_TRIALS = 3
EPOCH_PICTURES = 4000
"""Training pictures of mnist5k."""


def forked(cell: Cell) -> Rate:
    """The server's own start, which a sweep pays once, is not counted."""
    return _timed(cell, Forking())


def fresh(cell: Cell) -> Rate:
    """A new interpreter imports torch and Lightning for every trial."""
    return _timed(cell, Fresh())


def _timed(cell: Cell, executor: Executor) -> Rate:
    """As many trials as fill the cell's seconds, after one that warms up; pictures trained on per second."""
    config = compose_run([*cell.words, f"epochs={cell.epochs}", f"hardware.threads={cell.threads}"])
    with tempfile.TemporaryDirectory(prefix="cnnexp-") as name:
        _trial(Path(name), 0, config, executor)
        began, trials, seconds = time.perf_counter(), 0, 0.0
        while trials < LEAST_TRIALS or seconds < cell.seconds:
            trials += 1
            _trial(Path(name), trials, config, executor)
            seconds = time.perf_counter() - began
        executor.close()
    images = round(trials * cell.epochs * EPOCH_PICTURES * config["data"]["fraction"])
    return Rate(images, trials, seconds)


def _trial(folder: Path, number: int, config: dict[str, object], executor: Executor) -> None:
    trial = TrialFolder(folder, number)
    trial.freeze(config)
    lock = trial.lock()
    lock.take()
    executor.start(trial.prepare({}, []), lock)
    while is_locked(lock.folder):
        executor.wait(0.02)
    run = trial.run()
    if run is None or read_json(run / "run.json")["status"] != "finished":
        raise RunFailed(trial.last_line() or "a trial ended without a word")
