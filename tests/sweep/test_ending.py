"""What a sweep leaves when all trials have ended: a table, a summary, a picture, and the command of the best one."""

from __future__ import annotations

import csv
import io
import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from cnnexp.errors import RunFailed
from cnnexp.sweep.ending import MOST_FAILED, command_line, conclude
from cnnexp.sweep.plan import Plan
from cnnexp.sweep.study import Study
from tests.sweep.conftest import MakeStudy, plan_of


@pytest.fixture(scope="module")
def usual() -> Plan:
    return plan_of("optimizer.lr=interval(0.1,1)", "sweep.trials=7")


def ended(study: Study, *scores: float | str) -> None:
    """Trials that ended with a score, or failed with an error."""
    for score in scores:
        number = study.claim("me")
        assert number is not None
        if isinstance(score, str):
            study.fail(number, score)
        else:
            study.complete(number, score)


def concluded(plan: Plan, folder: Path, study: Study) -> list[str]:
    console = Console(file=io.StringIO(), record=True, width=60, highlight=False)
    try:
        assert conclude(plan, folder, study, console) == 0
    finally:
        said = console.export_text().splitlines()
    return said


def summary(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return content


@pytest.mark.parametrize(("mode", "best"), [("max", 1), ("min", 3)])
def test_the_best_trial_by_the_tasks_direction(
    mode: str, best: int, usual: Plan, study_of: MakeStudy, tmp_path: Path
) -> None:
    plan = replace(usual, mode=mode)
    study = study_of(plan)
    ended(study, 0.5, 0.875, "the loss is nan", 0.25)
    run = tmp_path / "trials" / f"{best:04d}" / "20260102-030405-linear-mnist5k-0a1b"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    said = concluded(plan, tmp_path, study)
    found = summary(tmp_path)
    assert found["counts"] == said[0] == "3 of 7 finished, 1 failed"
    assert "trial 2 failed: the loss is nan" in said
    score = [0.5, 0.875, None, 0.25][best]
    assert (found["best"]["trial"], found["best"]["score"]) == (best, score)
    assert found["best"]["settings"] == study.point(study.trials()[best])
    assert found["best"]["runs"] == [f"trials/{best:04d}/{run.name}"], "from the sweep's folder on"
    assert f"best: trial {best}, val/accuracy {score:.4f}" in said
    (command,) = found["best"]["commands"]
    assert f"  {command}" in said, "on one line, however long"
    with Image.open(tmp_path / "pictures" / "search.png") as picture:
        assert min(picture.size) > 200
    assert said[-1] == f"picture: {tmp_path / 'pictures' / 'search.png'}"


def test_what_mattered_is_said_where_it_can_be_told(
    usual: Plan, study_of: MakeStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(usual)
    ended(study, 0.5, 0.5, 0.5)
    assert "importance: too few trials finished with different scores to tell" in concluded(usual, tmp_path, study)
    found = {"optimizer.lr": 0.875, "seed": 0.125}
    monkeypatch.setattr(study, "importances", lambda: found)
    assert "importance: optimizer.lr 0.88, seed 0.12" in concluded(usual, tmp_path, study)
    assert summary(tmp_path)["importances"] == found


def test_when_every_trial_failed_the_record_is_written_all_the_same(
    usual: Plan, study_of: MakeStudy, tmp_path: Path
) -> None:
    study = study_of(usual)
    ended(study, *(f"error {number}" for number in range(MOST_FAILED + 2)))
    with pytest.raises(RunFailed, match=r"no trial finished; .*trials has what each of them printed"):
        concluded(usual, tmp_path, study)
    assert summary(tmp_path)["best"] is None
    rows = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    assert [row["error"] for row in rows] == [f"error {number}" for number in range(7)]


def test_of_many_failures_a_few_are_shown(usual: Plan, study_of: MakeStudy, tmp_path: Path) -> None:
    study = study_of(usual)
    ended(study, 0.5, *("nan" for _ in range(6)))
    said = concluded(usual, tmp_path, study)
    assert len([line for line in said if " failed: " in line]) == 5
    assert "… and 1 more, see trials.csv" in said


def test_no_text_of_a_trial_is_a_formula_or_a_command_of_the_terminal(
    usual: Plan, study_of: MakeStudy, tmp_path: Path
) -> None:
    study = study_of(usual)
    ended(study, 0.5, "=cmd|'/c calc'\x1b[2J")
    said = concluded(usual, tmp_path, study)
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["error"].startswith("'=cmd") and "\x1b" not in rows[1]["error"]
    assert not [line for line in said if "\x1b[2J" in line]
    assert (rows[0]["score"], rows[0]["state"], rows[2]["state"]) == ("0.5", "finished", "waiting")


# --- the command that makes it again ----------------------------------------------------------------------------------


def test_a_command_is_quoted_as_a_shell_wants_it() -> None:
    plan = plan_of(
        "optimizer.lr=0.1,0.2", "name='a b'", "sweep=grid", config_dirs=("my conf",), trusted=("mine", "other")
    )
    text = command_line(plan, {"optimizer.lr": "0.2"}, None)
    words = shlex.split(text)
    assert words[:2] == ["cnnexp", "train"]
    assert words[2:] == [
        "name='a b'", "optimizer.lr=0.2", "--config-dir", "my conf", "--trust", "mine", "--trust", "other",
    ]  # fmt: skip


def test_a_mean_over_seeds_has_a_command_for_each(study_of: MakeStudy, tmp_path: Path) -> None:
    plan = plan_of("optimizer.lr=0.1,0.2", "seed=range(4,6)", "sweep=grid", "sweep.average=seed")
    study = study_of(plan)
    ended(study, 0.5, 0.25)
    said = concluded(plan, tmp_path, study)
    assert "best: trial 0, val/accuracy 0.5000, mean over 2 values of seed" in said
    commands = summary(tmp_path)["best"]["commands"]
    assert [shlex.split(one)[-1] for one in commands] == ["seed=4", "seed=5"]
    assert all("optimizer.lr=0.1" in one for one in commands)
