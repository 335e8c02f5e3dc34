"""The search on a picture: places on its axes by hand, and that what happened can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from optuna.trial import TrialState, create_trial
from PIL import Image

from cnnexp.sweep.picture import _height, _score_range, _score_ticks, _ticks, draw_search
from cnnexp.sweep.space import Choice, Interval
from tests.sweep.conftest import MakeStudy, plan_of

LOW, HIGH = 0.04, 0.96


@pytest.mark.parametrize(
    ("dimension", "text", "height"),
    [
        (Interval("lr", 0.0, 10.0), "5", 0.5),
        (Interval("lr", 0.001, 1.0, log=True), "0.001", LOW),
        (Interval("lr", 0.001, 1.0, log=True), "1", HIGH),
        (Interval("lr", 0.01, 1.0, log=True), "0.1", 0.5),
        (Choice("model", ("a", "b", "c")), "b", 0.5),
        (Choice("model", ("a", "b", "c")), "c", HIGH),
    ],
)
def test_where_a_value_stands(dimension: Choice | Interval, text: str, height: float) -> None:
    assert _height(dimension, text) == pytest.approx(height)


def test_a_logarithmic_axis_has_its_powers_of_ten() -> None:
    assert [label for _, label in _ticks(Interval("lr", 0.0005, 2.0, log=True))] == ["0.001", "0.01", "0.1", "1"]


def test_a_long_axis_names_some_of_its_values() -> None:
    labels = [label for _, label in _ticks(Choice("seed", tuple(str(n) for n in range(30))))]
    assert labels[0] == "0" and 4 <= len(labels) <= 8


@pytest.mark.parametrize(("mode", "sign"), [("max", 1), ("min", -1)])
def test_trials_that_learnt_nothing_do_not_push_the_others_together(mode: str, sign: int) -> None:
    finished = [create_trial(value=sign * value) for value in (0.98, 0.9)]
    pruned = [create_trial(state=TrialState.PRUNED, value=sign * value) for value in (0.1, 0.8, 0.85)]
    assert _score_range(plan_of("seed=0,1", mode=mode), finished) == (sign * 0.9, sign * 0.98)
    worst, best = _score_range(plan_of("seed=0,1", mode=mode), [*finished, *pruned])
    assert (worst, best) == (sign * 0.8, sign * 0.98)
    ticks = [(place, float(label)) for place, label in _score_ticks(worst, best)]
    assert len(ticks) >= 4
    for place, value in ticks:
        assert place == pytest.approx(LOW + (HIGH - LOW) * (value - worst) / (best - worst))


def colours(path: Path) -> set[tuple[int, int, int]]:
    with Image.open(path) as picture:
        return {colour for _, colour in picture.convert("RGB").getcolors(1 << 24) or []}  # type: ignore[misc]


def test_failed_and_pruned_trials_are_seen(study_of: MakeStudy, tmp_path: Path) -> None:
    plan = plan_of("model=linear,lenet5", "optimizer.lr=tag(log,interval(1e-4,1))", "sweep.trials=6")
    study = study_of(plan)
    for number in range(6):
        study.claim("me")
        study.report(number, 1, number / 10)
        if number < 4:
            study.complete(number, number / 10)
    without = colours(draw_search(plan, study, {}, tmp_path / "a.png"))
    study.prune(4)
    study.fail(5, "it failed")
    importances = {"model": 0.7, "optimizer.lr": 0.3}
    with_all = colours(draw_search(plan, study, importances, tmp_path / "b.png"))
    blue, orange, red = (0, 114, 178), (230, 159, 0), (213, 94, 0)
    assert blue in without and not {orange, red} & without
    assert {blue, orange, red} <= with_all


def test_scores_that_are_all_the_same_are_drawn(study_of: MakeStudy, tmp_path: Path) -> None:
    plan = plan_of("seed=0,1", "sweep=grid", mode="min")
    study = study_of(plan)
    while (number := study.claim("me")) is not None:
        study.complete(number, 0.5)
    assert draw_search(plan, study, {}, tmp_path / "same.png").stat().st_size > 5000
