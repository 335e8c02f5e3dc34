"""Fixtures for the tests of cnnexp.fit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from cnnexp.fit.console import RunLog


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run's folder with places for what is written."""
    for name in ("checkpoints", "pictures"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that git is not asked for."""
    monkeypatch.setattr("cnnexp.runs.write.git_state", lambda folder: (None, ""))


@pytest.fixture
def log(logging_kept: None) -> Iterator[RunLog]:
    """A run's log, with its terminal in memory: ``log.console.export_text()``."""
    made = RunLog(Console(file=io.StringIO(), record=True, width=200))
    yield made
    made.close()
