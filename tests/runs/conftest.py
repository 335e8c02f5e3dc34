"""Tiny run folders, made by the writer itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnexp.runs.write import RunWriter

MakeRun = Callable[..., RunWriter]
CONFIG = {"seed": 3, "name": None, "choices": {"model": "lenet5", "data": "mnist5k"}}


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """``make_run()`` begins a run in ``tmp_path/outputs``; ``make_run("finished")`` ends it so."""

    def make(status: str = "running", outputs: Path | None = None) -> RunWriter:
        config = {**CONFIG, "outputs": str(outputs or tmp_path / "outputs")}
        writer = RunWriter.create(config, "seed: 3\nchoices: {model: lenet5, data: mnist5k}\n", ["cnnexp", "train"])
        writer.start()
        if status != "running":
            writer.finish(status, 1.5)
        return writer

    return make
