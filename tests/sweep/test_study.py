"""Trials of a study: entered once, taken once, drawn the same by whoever draws them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from cnnexp.errors import InputError
from cnnexp.sweep.space import Choice, Interval
from cnnexp.sweep.storage import StudyStorage
from cnnexp.sweep.study import Study, distribution
from tests.packaging.imports import ROOT
from tests.sweep.conftest import MakeStudy, plan_of

GRID = ("model=linear,lenet5", "seed=range(0,3)", "sweep=grid")
RANDOM = ("optimizer.lr=tag(log,interval(1e-4,1))", "model=linear,lenet5", "sweep.trials=6")

CLAIM = """
import sys
from pathlib import Path
from cnnexp.sweep.storage import StudyStorage
from cnnexp.sweep.study import Study
from tests.packaging.imports import ROOT
from tests.sweep.conftest import plan_of
study = Study(plan_of(*sys.argv[2:]), StudyStorage(None, Path(sys.argv[1])))
while (number := study.claim("me")) is not None:
    trial = study.trials()[number]
    print(number, *study.point(trial).values())
    study.complete(number, 0.5)
"""


def test_a_grid_has_each_point_once_whoever_takes_them(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLAIM, str(tmp_path), *GRID]
    takers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(4)]
    taken = [line for taker in takers for line in taker.communicate(timeout=120)[0].splitlines()]
    assert [taker.returncode for taker in takers] == [0] * 4
    points = Counter(tuple(line.split()[1:]) for line in taken)
    assert points == {(model, seed): 1 for model in ("linear", "lenet5") for seed in "012"}
    assert sorted(int(line.split()[0]) for line in taken) == list(range(6))


def test_a_creator_that_was_cut_off_leaves_no_trial_out(study_of: MakeStudy, tmp_path: Path) -> None:
    study_of(plan_of(*GRID))
    journal = tmp_path / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    for kept in range(len(lines)):
        journal.write_bytes(b"".join(lines[:kept]))
        study = study_of(plan_of(*GRID))
        points = [trial.system_attrs["fixed_params"] for trial in study.trials()]
        assert len(points) == 6
        assert len({tuple(point.items()) for point in points}) == 6


def test_a_trial_draws_the_same_in_any_order_and_process(tmp_path: Path) -> None:
    drawn = []
    for place, order in enumerate((range(6), (5, 3, 1, 0, 2, 4))):
        (tmp_path / str(place)).mkdir()
        study = Study(plan_of(*RANDOM), StudyStorage(None, tmp_path / str(place)))
        for number in order:
            study._draw(study.trials()[number])
        drawn.append([study.point(trial) for trial in study.trials()])
    assert drawn[0] == drawn[1]
    assert len({point["optimizer.lr"] for point in drawn[0]}) == 6
    assert all(1e-4 <= float(point["optimizer.lr"]) <= 1 for point in drawn[0])


def test_another_seed_draws_otherwise(study_of: MakeStudy, tmp_path: Path) -> None:
    points = []
    for seed in (0, 1):
        study = study_of(plan_of(*RANDOM, f"sweep.seed={seed}", f"sweep.study=s{seed}"))
        number = study.claim("me")
        assert number == 0
        points.append(study.point(study.trials()[0]))
    assert points[0] != points[1]


def test_more_trials_are_added_behind(study_of: MakeStudy) -> None:
    study = study_of(plan_of(*RANDOM, "sweep.study=one"))
    assert study.claim("me") == 0
    longer = study_of(plan_of(*RANDOM[:2], "sweep.trials=9", "sweep.study=one"))
    states = [trial.state for trial in longer.trials()]
    assert states == [TrialState.RUNNING] + [TrialState.WAITING] * 8


def test_a_study_of_another_space_is_refused(study_of: MakeStudy) -> None:
    study_of(plan_of(*RANDOM, "sweep.study=one"))
    with pytest.raises(InputError, match=r"another space: .*1e-05.*sweep\.study=NAME"):
        study_of(plan_of("optimizer.lr=tag(log,interval(1e-5,1))", RANDOM[1], "sweep.trials=6", "sweep.study=one"))


def test_a_trial_is_adopted_by_one_only(study_of: MakeStudy) -> None:
    study = study_of(plan_of(*RANDOM))
    number = study.claim("dead")
    assert number is not None
    assert study.adopt(number, "first", "dead")
    assert not study.adopt(number, "second", "dead")
    assert study.trials()[number].user_attrs["controller"] == "first"
    study.complete(number, 0.5)
    assert not study.adopt(number, "second", "first")


def test_a_trial_whose_controller_was_killed_while_it_drew_is_drawn_again(study_of: MakeStudy) -> None:
    study = study_of(plan_of(*RANDOM))
    whole = study_of(plan_of(*RANDOM, "sweep.study=whole"))
    whole.claim("me")
    trial = study.trials()[0]
    study._study._storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
    assert study.adopt(0, "me", None)
    assert study.point(study.trials()[0]) == whole.point(whole.trials()[0])


def test_asha_lets_one_in_three_go_on(study_of: MakeStudy) -> None:
    words = ("sweep.pruner=asha", "sweep.grace_epochs=1", "sweep.reduction=3")
    study = study_of(plan_of(*RANDOM[:2], "sweep.trials=9", *words))
    for number in range(9):
        study.claim("me")
        # the first rung is after epoch 1; the scores rise, so that each trial is the best so far
        assert not study.report(number, 1, number / 10)
        study.complete(number, number / 10)
    worse = study_of(plan_of(*RANDOM[:2], "sweep.trials=10", *words))
    number = worse.claim("me")
    assert number == 9
    assert worse.report(number, 1, 0.05)


def test_the_median_pruner_spares_the_first_epochs(study_of: MakeStudy) -> None:
    words = ("sweep.pruner=median", "sweep.startup_trials=1", "sweep.grace_epochs=2", "sweep.trials=3")
    study = study_of(plan_of(*RANDOM[:2], *words))
    study.claim("me")
    for epoch in (1, 2, 3):
        study.report(0, epoch, 0.9)
    study.complete(0, 0.9)
    study.claim("me")
    assert [study.report(1, epoch, 0.1) for epoch in (1, 2)] == [False, True]


def test_the_median_pruner_compares_means_from_the_first_seed_on(study_of: MakeStudy) -> None:
    words = ("seed=range(0,3)", "sweep.average=seed", "sweep.pruner=median", "sweep.startup_trials=1")
    study = study_of(plan_of(*RANDOM[:2], *words, "sweep.trials=3"))
    study.claim("me")
    study.report(0, 1, 0.9)
    study.complete(0, 0.9)
    study.claim("me")
    assert study.report(1, 1, 0.1)


def test_the_folder_of_a_trial_is_another_controllers_where_it_can_be_reached(
    study_of: MakeStudy, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    there.mkdir()
    for storage, expected in ((f"sweep.storage={tmp_path}/one.journal", there), ("sweep.study=own", here)):
        study = study_of(plan_of(*RANDOM, storage))
        study.claim("me")
        assert study.folder(study.trials()[0], here) == here, "begun nowhere yet"
        study.note(0, "folder", str(there))
        (there / "sweep.json").unlink(missing_ok=True)
        assert study.folder(study.trials()[0], here) == here, "it is not there any more"
        (there / "sweep.json").touch()
        assert study.folder(study.trials()[0], here) == expected


def test_a_score_is_entered_once(study_of: MakeStudy) -> None:
    study = study_of(plan_of(*RANDOM))
    study.claim("me")
    study.report(0, 1, 0.5)
    study.report(0, 1, 0.7)
    assert study.trials()[0].intermediate_values == {1: 0.5}


def test_importance_sees_what_matters(study_of: MakeStudy) -> None:
    words = ("optimizer.lr=interval(0.1,1)", "optimizer.momentum=interval(0.1,0.9)", "sweep.trials=30")
    study = study_of(plan_of(*words))
    assert study.importances() == {}
    while (number := study.claim("me")) is not None:
        study.complete(number, float(study.point(study.trials()[number])["optimizer.lr"]))
    found = study.importances()
    assert list(found) == ["optimizer.lr", "optimizer.momentum"]
    assert found["optimizer.lr"] > 0.9
    assert sum(found.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        (Interval("lr", 0.1, 1.0, log=True), FloatDistribution(0.1, 1.0, log=True)),
        (Interval("epochs", 1, 9, whole=True), IntDistribution(1, 9)),
        (Choice("seed", ("0", "1", "2")), IntDistribution(0, 2)),
        (Choice("epochs", ("4", "2", "6")), IntDistribution(2, 6, step=2)),
        (Choice("epochs", ("1", "2", "4")), CategoricalDistribution(("1", "2", "4"))),
        (Choice("model", ("a", "b")), CategoricalDistribution(("a", "b"))),
    ],
)
def test_a_dimension_in_optunas_words(dimension: Choice | Interval, expected: object) -> None:
    assert distribution(dimension) == expected
