"""How a trial stands, read from its folder alone."""

from __future__ import annotations

import json
import platform
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cnnexp.sweep.trial import FROZEN, JOB, OUTPUT, PROCESS, TrialFolder

METRICS = "epoch,step,val/accuracy\n1,5,0.5\n2,10,0.8\n3,15,0.7\n"


@pytest.fixture
def trial(tmp_path: Path) -> TrialFolder:
    folder = TrialFolder(tmp_path, 7)
    folder.freeze({"epochs": 3, "outputs": "elsewhere"})
    return folder


def add_run(trial: TrialFolder, status: str, metrics: str = METRICS, **fields: Any) -> Path:
    run = trial.path / "20260102-030405-linear-mnist5k-0a1b"
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.yaml").write_text("seed: 0\n")
    (run / "metrics.csv").write_text(metrics)
    record = {"schema_version": 1, "status": status, "host": platform.node(), **fields}
    (run / "run.json").write_text(json.dumps(record))
    return run


def ended(trial: TrialFolder, output: str, status: int | None) -> None:
    (trial.path / OUTPUT).write_text(output)
    (trial.path / PROCESS).write_text(json.dumps({"host": platform.node(), "pid": 1, "status": status}))


@pytest.mark.parametrize(("mode", "best"), [("max", 0.8), ("min", 0.5)])
def test_a_finished_trial_has_its_best_score(trial: TrialFolder, mode: str, best: float) -> None:
    run = add_run(trial, "finished")
    outcome = trial.outcome("val/accuracy", mode)
    assert (outcome.state, outcome.value, outcome.run) == ("finished", best, run)


def test_the_best_score_is_a_number(trial: TrialFolder) -> None:
    add_run(trial, "finished", "epoch,step,val/accuracy\n1,5,nan\n2,10,0.4\n3,15,inf\n")
    assert trial.outcome("val/accuracy", "max").value == 0.4


def test_without_any_number_it_failed(trial: TrialFolder) -> None:
    add_run(trial, "finished", "epoch,step,val/accuracy\n1,5,nan\n")
    outcome = trial.outcome("val/accuracy", "max")
    assert (outcome.state, outcome.error) == ("failed", "val/accuracy was never a finite number")


@pytest.mark.parametrize(
    ("status", "fields", "state", "asked"),
    [
        ("running", {}, "cut_off", False),
        ("interrupted", {}, "cut_off", True),
        ("failed", {"error": "the loss is nan"}, "failed", False),
        ("failed", {"error": "outputs: the disk is full (0 MB free): free some space"}, "cut_off", True),
        ("stopped", {}, "finished", False),
        ("asleep", {}, "failed", False),
    ],
)
def test_a_run_without_a_process(
    trial: TrialFolder, status: str, fields: dict[str, Any], state: str, asked: bool
) -> None:
    add_run(trial, status, **fields)
    outcome = trial.outcome("val/accuracy", "max")
    assert (outcome.state, outcome.asked) == (state, asked)
    if state == "failed" and fields:
        assert outcome.error == fields["error"]


def test_nothing_was_begun(trial: TrialFolder) -> None:
    assert trial.outcome("val/accuracy", "max").state == "new"


@pytest.mark.parametrize(
    ("output", "status", "state", "error"),
    [
        ("", None, "cut_off", None),
        ("lenet5, 61,706 parameters\n", None, "cut_off", "lenet5, 61,706 parameters"),
        ("cnnexp train: data.fraction=9: too much\n", 2, "failed", "data.fraction=9: too much"),
        ("cnnexp train: x: the disk is full (0 MB free)\n", 2, "cut_off", "x: the disk is full (0 MB free)"),
        ("a\x1b[31m line\n\n", 70, "failed", "a?[31m line"),
        ("", 1, "failed", "ended with status 1"),
        ("cnnexp train: interrupted\n", 130, "cut_off", "interrupted"),
    ],
)
def test_it_ended_before_there_was_a_run(
    trial: TrialFolder, output: str, status: int | None, state: str, error: str | None
) -> None:
    ended(trial, output, status)
    outcome = trial.outcome("val/accuracy", "max")
    assert (outcome.state, outcome.error) == (state, error)


def test_a_run_that_was_cut_off_before_it_was_one_is_removed(trial: TrialFolder) -> None:
    half = trial.path / "20260102-030405-linear-mnist5k-0a1b"
    (half / "checkpoints").mkdir(parents=True)
    (half / "config.yaml").write_text("seed: 0\n")
    assert trial.run() is None
    assert not half.exists()
    run = add_run(trial, "running")
    assert trial.run() == run


def test_a_new_trial_trains_and_a_begun_one_goes_on(trial: TrialFolder) -> None:
    first = json.loads(trial.prepare({"A": "1"}, ["mine"]).read_text())
    assert first == {
        "module": "cnnexp",
        "argv": ["train", "--frozen", str((trial.path / FROZEN).resolve()), "--trust", "mine"],
        "environment": {"A": "1"},
    }
    run = add_run(trial, "running")
    ended(trial, "", 1)
    trial.prepare({}, [])
    assert json.loads((trial.path / JOB).read_text())["argv"] == ["resume", str(run.resolve())]
    assert trial.process() == {}, "of the process before"


def test_its_run_goes_into_its_own_folder(trial: TrialFolder) -> None:
    assert f"outputs: {trial.path.resolve()}" in (trial.path / FROZEN).read_text()
    assert trial.epochs == 3


def test_the_lock_is_one_for_all_parts(tmp_path: Path) -> None:
    lock = TrialFolder(tmp_path, 7, part=0, parts=2).lock()
    assert lock.take()
    assert not TrialFolder(tmp_path, 7, part=1, parts=2).lock().take()
    assert TrialFolder(tmp_path, 8, part=0, parts=2).lock().take()
    lock.release()


def test_it_is_asked_to_stop_by_a_signal(trial: TrialFolder) -> None:
    process = subprocess.Popen(["sleep", "60"])
    content = {"host": platform.node(), "pid": process.pid, "status": None}
    (trial.path / PROCESS).write_text(json.dumps({**content, "host": "elsewhere"}))
    assert not trial.stop()
    assert process.poll() is None
    (trial.path / PROCESS).write_text(json.dumps(content))
    assert trial.stop()
    assert process.wait(timeout=10) == -signal.SIGTERM
    assert not trial.stop()
