"""Runs that are under way without a command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnexp.runs.lock import RunLock
from cnnexp.runs.read import SCHEMA_VERSION
from cnnexp.runs.write import RunWriter


def writer(folder: Path) -> RunWriter:
    """Of a run that has just begun, with its lock."""
    for name in ("checkpoints", "pictures"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text("seed: 0\n")
    (folder / "run.json").write_text(json.dumps({"schema_version": SCHEMA_VERSION, "status": "running"}))
    lock = RunLock(folder)
    assert lock.take()
    return RunWriter(folder, lock)


def record(folder: Path) -> dict[str, Any]:
    """run.json."""
    content: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return content
