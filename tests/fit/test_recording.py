"""What a fit writes down: a row for every epoch and for some batches, with the step that they belong to."""

from __future__ import annotations

import csv
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning.loggers import CSVLogger

from cnnexp.fit.data_module import DataModule
from cnnexp.fit.module import TaskModule
from cnnexp.fit.recording import Recording
from cnnexp.runs.metrics import MetricsFile
from cnnexp.tasks.classification import Classification
from cnnexp.training.schedules import Step
from tests.tasks import tiny


def fitted(recording: Recording, epochs: int = 2, **changes: Any) -> TaskModule:
    """Three batches of eight pictures an epoch; the learning rate is halved after each."""
    schedule, data = Step(every_epochs=1, gamma=0.5), DataModule(tiny.picture_data(train=24))
    made = tiny.module(Classification, tiny.linear_net(), schedule=schedule, epochs=epochs)
    made.steps_per_epoch = 3
    tiny.trainer([recording], epochs, **changes).fit(made, datamodule=data)
    return made


def rows(path: Path) -> list[dict[str, float]]:
    with path.open() as file:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]


def test_an_epoch_has_a_row_with_its_results_and_some_batches_have_one(tmp_path: Path) -> None:
    shown: list[tuple[int, dict[str, float]]] = []
    recording = Recording(
        MetricsFile(tmp_path / "metrics.csv"), 2, lambda epoch, results: shown.append((epoch, results))
    )
    made = fitted(recording)
    written = rows(tmp_path / "metrics.csv")
    assert [(row["epoch"], row["step"]) for row in written] == [(1, 2), (1, 3), (2, 4), (2, 6), (2, 6)]
    for_batches = [row for row in written if "train/step_loss" in row]
    assert [row["step"] for row in for_batches] == [2, 4, 6]
    assert [row["lr"] for row in for_batches] == pytest.approx([0.1, 0.05, 0.05])
    of_epochs = [row for row in written if "train/step_loss" not in row]
    assert [row["lr"] for row in of_epochs] == pytest.approx([0.1, 0.05])
    assert {**of_epochs[-1], **made.results} == of_epochs[-1]
    assert {"train/loss", "train/accuracy", "val/loss", "val/accuracy"} <= set(made.results)
    assert [epoch for epoch, _ in shown] == [1, 2]
    assert shown[1][1] == made.results


def test_loggers_get_the_same_rows(tmp_path: Path) -> None:
    recording = Recording(MetricsFile(tmp_path / "metrics.csv"), 50, lambda epoch, results: None)
    fitted(recording, logger=CSVLogger(tmp_path, name="", version="log"), log_every_n_steps=1)
    logged = rows(tmp_path / "log" / "metrics.csv")
    assert logged == [dict(row) for row in rows(tmp_path / "metrics.csv")]


def test_other_processes_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fitted(Recording(None, 1, lambda epoch, results: None))
    assert list(tmp_path.iterdir()) == []


def test_throughput_counts_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a second whenever it is looked at: once when an epoch begins, once after its batches."""
    clock = itertools.count()
    recording = Recording(None, 50, lambda epoch, results: None)
    assert recording.images_per_second is None
    monkeypatch.setattr("cnnexp.fit.recording.time", type("Clock", (), {"perf_counter": lambda: float(next(clock))}))
    fitted(recording, epochs=2)
    assert recording.samples == 48
    assert recording.images_per_second == pytest.approx(24 / 1)


@pytest.mark.parametrize(("seconds", "rate"), [([5.0], 10 / 5), ([5.0, 2.0, 3.0], 20 / 5)])
def test_the_first_epoch_warms_up_where_others_follow(
    monkeypatch: pytest.MonkeyPatch, seconds: list[float], rate: float
) -> None:
    recording = Recording(None, 50, lambda epoch, results: None)
    times = iter([at for one in seconds for at in (100.0, 100.0 + one)])
    monkeypatch.setattr("cnnexp.fit.recording.time", type("Clock", (), {"perf_counter": lambda: next(times)}))
    for _ in seconds:
        recording.on_train_epoch_start(None, None)  # type: ignore[arg-type]
        recording.samples += 10
        recording.stop_clock()
    assert recording.images_per_second == pytest.approx(rate)


def test_the_clock_of_an_epoch_that_ended_early_is_stopped_once() -> None:
    recording = Recording(None, 50, lambda epoch, results: None)
    recording._began = time.perf_counter() - 2
    recording.stop_clock()
    recording.stop_clock()
    assert recording.train_seconds == pytest.approx(2, abs=0.5)
