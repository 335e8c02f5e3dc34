"""The real ``cnnexp sweep``, in a fresh process or a forked one, and what it leaves behind."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.conftest import CommandLine

TINY = ("model=linear", "data=mnist5k", "data.fraction=0.05", "epochs=2")
LONGEST_S = 1200.0  # of a machine that is busy with something else


def start(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """``cnnexp sweep`` in a folder, with its output in ``sweep-N.txt``."""
    folder.mkdir(exist_ok=True)
    with _output(folder).open("w") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "cnnexp", "sweep", *words],
            cwd=folder,
            env={**os.environ, "COLUMNS": "80", "OMP_NUM_THREADS": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _output(folder: Path) -> Path:
    return folder / f"sweep-{len(list(folder.glob('sweep-*.txt')))}.txt"


def said(folder: Path) -> str:
    """What the last sweep printed."""
    return max(folder.glob("sweep-*.txt"), key=lambda path: int(path.stem.split("-")[1])).read_text()


def sweep(folder: Path, *words: str, status: int = 0, **environment: str) -> Sweep:
    """Run to the end, which must be of this status."""
    process = start(folder, *words, **environment)
    assert process.wait(timeout=LONGEST_S) == status, said(folder)
    return found(folder)


def forked(cnnexp: CommandLine, folder: Path, *words: str, status: int = 0, figures: bool = False) -> Sweep:
    """Run to the end in a forked process, where a fresh one is not the point."""
    folder.mkdir(exist_ok=True)
    done = cnnexp("sweep", *words, figures=figures, cwd=folder, OMP_NUM_THREADS="1")
    _output(folder).write_text(done.out + done.err)
    assert done.status == status, said(folder)
    return found(folder)


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + LONGEST_S
    while not condition():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.05)


@dataclass(frozen=True)
class Sweep:
    """A sweep's folder."""

    folder: Path

    @property
    def trials(self) -> list[dict[str, str]]:
        return list(csv.DictReader((self.folder / "trials.csv").read_text().splitlines()))

    @property
    def summary(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "summary.json").read_text()))

    @property
    def runs(self) -> list[Path]:
        return sorted(path.parent for path in self.folder.glob("trials/*/*/run.json"))

    def record(self, run: Path) -> dict[str, Any]:
        return dict(json.loads((run / "run.json").read_text()))

    def finished_runs(self) -> int:
        return len(list(self.folder.glob("trials/*/*/summary.json")))

    def alive(self) -> list[int]:
        """Process ids of the trials under way."""
        pids = []
        for path in self.folder.glob("trials/*/process.json"):
            content = json.loads(path.read_text())
            if content["status"] is None and Path(f"/proc/{content['pid']}/cmdline").exists():
                pids.append(int(content["pid"]))
        return pids


def found(folder: Path) -> Sweep:
    """The only sweep in a folder."""
    (path,) = (file.parent for file in (folder / "outputs").glob("*/sweep.json"))
    return Sweep(path)


def kill(pid: int) -> None:
    """SIGKILL, for a process that may have ended just now."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
