"""What is checked before the first trial."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.errors import InputError
from cnnexp.sweep.planning import make_plan, resumed
from tests.sweep.conftest import plan_of

LEARNING_RATE = "optimizer.lr=tag(log,interval(1e-3,1))"


def refusal(*words: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        make_plan(words, [], [], ["cnnexp", "sweep", *words])
    return refused.value.lines


def test_every_value_is_tried_before_the_first_trial() -> None:
    plan = make_plan(("model=linear,lenet5", "optimizer=sgd,adam", "epochs=1,2,3", "sweep=grid"), [], [], [])
    choices = [(config["choices"]["model"], config["choices"]["optimizer"]) for config in plan.tried]
    assert set(choices) == {(model, optimizer) for model in ("linear", "lenet5") for optimizer in ("sgd", "adam")}
    assert {config["epochs"] for config in plan.tried} == {1, 2, 3}


def test_mistakes_in_several_values_are_told_together() -> None:
    lines = refusal("optimizer.lr=0.1,-1,high", "epochs=1,0", "sweep=grid")
    assert [line.split(":")[0] for line in lines] == ["optimizer.lr=-1", "optimizer.lr=high", "epochs=0"]


def test_any_number_for_a_key_that_takes_whole_ones_is_refused_with_the_way_to_write_it() -> None:
    (line,) = refusal("batch_size=interval(16,256)")
    assert line.startswith("batch_size=16.0: expected a whole number") and line.endswith("int(interval(16,256))")


def test_a_journals_place_does_not_depend_on_the_folder_one_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = make_plan(("seed=0,1", "sweep.storage=mine.journal"), [], [], [])
    assert plan.settings.storage == str(tmp_path / "mine.journal")


def test_scores_of_different_kinds_are_not_compared() -> None:
    (line,) = refusal("model=lenet5,conv_autoencoder", "optimizer.lr=0.1,0.2", "sweep=grid")
    assert "different metrics" in line and "val/accuracy" in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("seed=0,1", "sweep=random", "sweep.trials=null"), "draws for ever"),
        (("seed=range(0,400)", "epochs=range(1,400)", "sweep=grid"), "more than anybody can train"),
        ((LEARNING_RATE, "sweep.average=optimizer.lr"), "sweep it too"),
        ((LEARNING_RATE, "seed=0,1", "sweep.average=seed", "sweep.pruner=asha"), "take median"),
    ],
)
def test_a_number_of_trials_that_cannot_be(words: tuple[str, ...], says: str) -> None:
    assert says in refusal(*words)[0]


def test_a_single_candidate_may_be_repeated() -> None:
    words = ("data.split.folds=3", "data.split.fold=range(0,3)", "sweep.average=data.split.fold")
    plan = make_plan(words, [], [], [])
    assert (plan.trials, plan.parts, plan.candidates.dimensions) == (1, ("0", "1", "2"), ())
    assert plan.config({}, "2")["data"]["split"]["fold"] == 2


def test_more_trials_and_workers_may_be_given_later() -> None:
    plan = plan_of(LEARNING_RATE, "sweep=tpe", "sweep.trials=5")
    longer = resumed(plan, ["sweep.trials=9", "sweep.workers=4"])
    assert (longer.trials, longer.settings.workers, longer.settings.method) == (9, 4, "tpe")
    assert longer.fingerprint == plan.fingerprint


@pytest.mark.parametrize("word", ["sweep.trials=4", "sweep.pruner=asha", "epochs=3", "sweep=random", "sweep.seed=1"])
def test_nothing_else_may_change_later(word: str) -> None:
    with pytest.raises(InputError):
        resumed(plan_of(LEARNING_RATE, "sweep=tpe", "sweep.trials=5"), [word])
