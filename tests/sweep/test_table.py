"""A sweep while it runs: what is shown, and that it fits."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial
from rich.console import Console

from cnnexp.sweep.table import Progress, best_of, counts, time_left_s
from tests.sweep.conftest import MakeStudy, plan_of

WORDS = ("model=linear,lenet5", "optimizer.lr=tag(log,interval(1e-4,1))", "sweep.trials=6", "sweep.workers=2")


def trial(state: TrialState, value: float | None = None, seconds: float | None = None) -> FrozenTrial:
    made = create_trial(state=state, value=value)
    made.datetime_start = None if seconds is None else datetime.now() - timedelta(seconds=seconds)
    made.datetime_complete = datetime.now() if state.is_finished() and seconds is not None else None
    return made


def test_the_counts_in_words() -> None:
    trials = [trial(TrialState.COMPLETE, 0.1), trial(TrialState.FAIL), trial(TrialState.WAITING)]
    assert counts(trials) == "1 of 3 finished, 1 failed"


def test_the_time_left_is_that_of_the_mean_trial() -> None:
    assert time_left_s([trial(TrialState.WAITING)], 1, nothing_done) is None
    trials = [
        trial(TrialState.COMPLETE, 0.1, seconds=30),
        trial(TrialState.FAIL, seconds=10),
        trial(TrialState.RUNNING, seconds=5),
        trial(TrialState.RUNNING, seconds=50),
        trial(TrialState.WAITING),
    ]
    assert time_left_s(trials, 2, nothing_done) == pytest.approx((20 + 15) / 2, abs=0.1)


def test_a_long_trial_has_as_much_left_as_it_has_to_do() -> None:
    trials = [trial(TrialState.PRUNED, seconds=10), trial(TrialState.RUNNING, seconds=60)]
    assert time_left_s(trials, 2, lambda one: 0.75) == pytest.approx(20, abs=0.1)
    trials.append(trial(TrialState.WAITING))
    assert time_left_s(trials, 1, lambda one: 0.75) == pytest.approx(30, abs=0.1)


def nothing_done(one: FrozenTrial) -> float:
    return 0.0


@pytest.mark.parametrize(("mode", "best"), [("max", 1), ("min", 0)])
def test_the_best_by_the_tasks_direction(mode: str, best: int) -> None:
    trials = [trial(TrialState.COMPLETE, 0.1), trial(TrialState.COMPLETE, 0.9), trial(TrialState.COMPLETE, 0.9)]
    for number, one in enumerate(trials):
        one.number = number
    trials.append(trial(TrialState.FAIL))
    found = best_of(trials, mode)
    assert found is not None and found.number == best


def shown(study_of: MakeStudy, folder: Path, terminal: bool) -> str:
    """What is written while one trial finishes, one is pruned, one fails and one runs."""
    study = study_of(plan_of(*WORDS))
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=terminal, highlight=False, legacy_windows=False)
    with Progress(plan_of(*WORDS), folder, study, console) as progress:
        progress(study.trials())
        for number in range(4):
            study.claim("me")
            study.report(number, 1, number / 10)
        study.complete(0, 0.912345)
        study.prune(1)
        study.fail(2, "the loss is not finite \x1b[31m")
        progress._drawn = 0.0
        progress(study.trials())
    return stream.getvalue()


def test_elsewhere_than_on_a_terminal_each_end_is_a_line(study_of: MakeStudy, tmp_path: Path) -> None:
    lines = shown(study_of, tmp_path, terminal=False).splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "trial 0 finished: val/accuracy 0.9123",
        "trial 1 pruned after epoch 1: val/accuracy 0.1000",
        "trial 2 failed: the loss is not finite ?[31m",
    ]
    assert all("model=" in line and "optimizer.lr=" in line for line in lines)


def test_the_table_fits_into_eighty_columns(study_of: MakeStudy, tmp_path: Path) -> None:
    text = shown(study_of, tmp_path, terminal=True)
    frame = text[text.rindex("of 6 finished") :]
    for words in ("1 running", "1 pruned", "1 failed", "about", "left", "val/accuracy", "best: trial 0"):
        assert words in frame, words
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert max(len(line) for line in plain.replace("\r", "\n").splitlines()) <= 80
