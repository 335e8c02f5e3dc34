"""What is checked before the first trial, and what makes two sweeps the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cnnexp.errors import InputError
from cnnexp.sweep.plan import make_plan, new_folder, read_plan, resumed
from tests.sweep.conftest import plan_of

LEARNING_RATE = "optimizer.lr=tag(log,interval(1e-3,1))"


def refusal(*words: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        make_plan(words, [], [], ["cnnexp", "sweep", *words])
    return refused.value.lines


def test_a_plan_reads_back_from_its_folder(tmp_path: Path) -> None:
    words = ("model=linear,lenet5", LEARNING_RATE, f"outputs={tmp_path}", "sweep=tpe", "sweep.workers=2")
    plan = make_plan(words, [], ["mine"], ["cnnexp", "sweep", *words])
    folder = new_folder(plan)
    assert read_plan(folder) == replace(plan, tried=())
    assert folder.parent == tmp_path and "-sweep-2models-mnist5k-" in folder.name
    assert (plan.monitor, plan.mode, plan.trials, plan.parts) == ("val/accuracy", "max", 20, (None,))


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
        (("seed=0,1", "sweep=grid", "sweep.average=seed"), "nothing else varies"),
        ((LEARNING_RATE, "sweep.average=optimizer.lr"), "sweep it too"),
        ((LEARNING_RATE, "seed=0,1", "sweep.average=seed", "sweep.pruner=asha"), "take median"),
    ],
)
def test_a_number_of_trials_that_cannot_be(words: tuple[str, ...], says: str) -> None:
    assert says in refusal(*words)[0]


def test_a_mean_takes_its_key_out_of_the_search() -> None:
    plan = plan_of("optimizer.lr=0.1,0.2", "seed=range(0,3)", "sweep=grid", "sweep.average=seed")
    assert (plan.trials, plan.parts) == (2, ("0", "1", "2"))
    assert plan.words({"optimizer.lr": "0.2"}, "1") == ["optimizer.lr=0.2", "seed=1"]


def test_the_same_command_has_the_same_study_and_folder() -> None:
    words = ("optimizer.lr=0.1,0.2", "epochs=1", "sweep=grid", "sweep.storage=postgresql://me:secret@host/one")
    one, other = plan_of(*words), plan_of("epochs=1", "optimizer.lr=0.1,0.2", *words[2:])
    assert one.study == other.study == one.new_id()
    assert plan_of("optimizer.lr=0.1,0.3", *words[1:]).study != one.study
    assert plan_of(*words, "sweep.study=mine").new_id() == "mine"


def test_workers_and_trials_are_not_part_of_what_a_study_is() -> None:
    words = (LEARNING_RATE, "sweep.storage=one.journal")
    assert plan_of(*words).study == plan_of(*words, "sweep.workers=3", "sweep.trials=9").study


def test_machines_that_put_their_runs_elsewhere_share_a_study() -> None:
    words = ("optimizer.lr=0.1,0.2", "model=linear,lenet5")
    assert plan_of(*words).study == plan_of(*words, "outputs=elsewhere").study != plan_of(*words, "epochs=3").study


def test_a_password_is_not_written_down(tmp_path: Path) -> None:
    words = ("seed=0,1", "sweep=grid", f"outputs={tmp_path}", "sweep.storage=postgresql://me:secret@host/one")
    folder = new_folder(make_plan(words, [], [], ["cnnexp", "sweep", *words]))
    text = (folder / "sweep.json").read_text()
    assert "secret" not in text and "postgresql://me@host/one" in text


def test_a_folder_with_another_sweep_is_refused(tmp_path: Path) -> None:
    words = ("sweep=grid", f"outputs={tmp_path}", "sweep.storage=postgresql://me@host/one", "sweep.study=mine")
    first = make_plan(("seed=0,1", *words), [], [], [])
    assert new_folder(first) == new_folder(first) == tmp_path / "mine"
    with pytest.raises(InputError, match=r"another sweep in it.*sweep\.study=NAME"):
        new_folder(make_plan(("seed=0,2", *words), [], [], []))


def test_more_trials_and_workers_may_be_given_later() -> None:
    plan = plan_of(LEARNING_RATE, "sweep=tpe", "sweep.trials=5")
    longer = resumed(plan, ["sweep.trials=9", "sweep.workers=4"])
    assert (longer.trials, longer.settings.workers, longer.settings.method) == (9, 4, "tpe")
    assert longer.fingerprint == plan.fingerprint


@pytest.mark.parametrize("word", ["sweep.trials=4", "sweep.pruner=asha", "epochs=3", "sweep=random", "sweep.seed=1"])
def test_nothing_else_may_change_later(word: str) -> None:
    with pytest.raises(InputError):
        resumed(plan_of(LEARNING_RATE, "sweep=tpe", "sweep.trials=5"), [word])
