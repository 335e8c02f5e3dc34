"""What makes two sweeps the same, and the folder of one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cnnexp.errors import InputError
from cnnexp.sweep.plan import new_folder, read_plan
from cnnexp.sweep.planning import make_plan
from tests.sweep.conftest import plan_of

LEARNING_RATE = "optimizer.lr=tag(log,interval(1e-3,1))"


def test_a_plan_reads_back_from_its_folder(tmp_path: Path) -> None:
    words = ("model=linear,lenet5", LEARNING_RATE, f"outputs={tmp_path}", "sweep=tpe", "sweep.workers=2")
    plan = make_plan(words, [], ["mine"], ["cnnexp", "sweep", *words])
    folder = new_folder(plan)
    assert read_plan(folder) == replace(plan, tried=())
    assert folder.parent == tmp_path and "-sweep-2models-mnist5k-" in folder.name
    assert (plan.monitor, plan.mode, plan.trials, plan.parts) == ("val/accuracy", "max", 20, (None,))


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


def test_the_data_of_a_trial_lies_where_the_command_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("here/d", "there/d"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    words = ("data=image_folder", "data.root=d", "seed=0,1", "sweep=grid", f"outputs={tmp_path}/o")
    folder = new_folder(make_plan(words, [], [], []))
    monkeypatch.chdir(tmp_path / "there")
    plan = read_plan(folder)
    assert plan.config({"seed": "0"}, None)["data"]["root"] == str(tmp_path / "here" / "d")
    (tmp_path / "here" / "d").rmdir()
    assert plan.config({"seed": "0"}, None)["data"]["root"] == str(tmp_path / "there" / "d")
    (tmp_path / "there" / "d").rmdir()
    assert plan.config({"seed": "0"}, None)["data"]["root"] == "d"
