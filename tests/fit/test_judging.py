"""Which run at hand is taken for a judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.fit import judging
from cnnexp.runs.read import Record


def config(*words: str) -> dict[str, Any]:
    return compose_run(["model=lenet5", "data=mnist5k", f"epochs={judging.EPOCHS}", *words])


def at_hand(monkeypatch: pytest.MonkeyPatch, *runs: dict[str, Any]) -> str | None:
    """The id of the run that is found among finished ones, the oldest of which is 0-lenet5-."""
    records = {f"{place}-lenet5-": run for place, run in enumerate(runs)}
    monkeypatch.setattr(judging, "find_runs", lambda paths: [Path(name) for name in records])
    monkeypatch.setattr(
        judging, "read_record", lambda path: Record(path, path.name, "finished", config=records[path.name])
    )
    found = judging._at_hand(config())
    return None if found is None else found.id


@pytest.mark.parametrize(
    "word", ["epochs=1", "optimizer.lr=1", "data.fraction=0.01", "model.pooling=average", "data=mnist"]
)
def test_a_run_that_was_trained_otherwise_is_none(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_hand(monkeypatch, config(word)) is None


def test_the_oldest_is_taken_whatever_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_hand(monkeypatch, config("epochs=1"), config("seed=7", "batch_size=8"), config()) == "1-lenet5-"
