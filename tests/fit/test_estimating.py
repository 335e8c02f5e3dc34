"""Before the first step: how long it will take, and how often it will be saved."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from rich.console import Console

from cnnexp.fit import estimating
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.console import RunLog
from cnnexp.fit.estimate import Estimate
from cnnexp.fit.estimating import Estimating
from cnnexp.fit.stopping import StopSignal
from cnnexp.tasks.classification import Classification
from tests.tasks import tiny

pytestmark = pytest.mark.usefixtures("logging_kept")


def said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, max_steps: int | None = None, done: int = 0, **changes: Any
) -> tuple[str, Checkpointing, pl.Trainer]:
    """What is said before a run of ten epochs of three steps, with validations of two batches."""
    given: dict[str, Any] = dict(monitor=None, mode="max", every_steps=None, patience=None, min_delta=0.0)
    keeping = Checkpointing(folder, **(given | changes), max_steps=None, signal=StopSignal())
    keeping.step = done
    screen, data = io.StringIO(), tiny.picture_data(train=24, val=10)
    task = Classification(tiny.parts(tiny.linear_net()))
    task.steps_per_epoch = 3
    monkeypatch.setattr(estimating, "measure", lambda task, batch: Estimate(len(batch["image"]) * 0.5, 1.0, 3_000_000))
    log = RunLog(Console(file=screen, width=200))
    estimate = Estimating(log, data, keeping, 10, max_steps)
    trainer = tiny.trainer([estimate], epochs=1)
    trainer.fit(task, datamodule=data)
    return screen.getvalue().strip(), keeping, trainer


def test_the_time_is_that_of_all_steps_and_validations(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 steps of 4 s and ten validations of two batches of 1 s: 140 s."""
    text, _, _ = said(run_folder, monkeypatch)
    assert text == "30 steps of 4.0 s: about 2 min; 3 MB of memory for the net and a batch"


@pytest.mark.parametrize(
    ("max_steps", "done", "text"),
    [
        (6, 0, "6 steps of 4.0 s: about 28 s"),
        (6, 3, "3 steps of 4.0 s: about 14 s"),
        (None, 27, "3 steps of 4.0 s: about 14 s"),
    ],
)
def test_only_the_steps_that_are_left_are_counted(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, max_steps: int | None, done: int, text: str
) -> None:
    assert said(run_folder, monkeypatch, max_steps, done)[0].startswith(text)


def test_a_save_comes_about_every_minute_unless_a_number_is_given(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(run_folder, monkeypatch)[1].every_steps == 60 / 4
    assert said(run_folder, monkeypatch, every_steps=7)[1].every_steps == 7


def test_it_takes_no_part_in_the_fit_after_that(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = said(run_folder, monkeypatch)[2]
    assert not any(isinstance(callback, Estimating) for callback in trainer.callbacks)  # type: ignore[attr-defined]
