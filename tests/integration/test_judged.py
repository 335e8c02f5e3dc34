"""A GAN's judge: trained first and found again, another run's, one that is gone; and what was made up as a quiz."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from cnnexp.builders.judges import RunJudge
from cnnexp.builders.reopen import reopen_data
from cnnexp.builders.revive import checked_config
from cnnexp.runs.read import read_record
from tests.integration.conftest import CommandLine
from tests.integration.test_resume import differences, outcome

pytestmark = pytest.mark.integration

GAN = (
    "train", "model=dcgan", "data=mnist5k", "data.fraction=0.05", "batch_size=40", "epochs=2", "model.width=4",
    "hardware.threads=1",
)  # fmt: skip


def named(folder: Path, net: str) -> list[Path]:
    """Runs of a net, the oldest first."""
    found = [path for path in (folder / "outputs").iterdir() if f"-{net}-" in path.name]
    return sorted(found, key=lambda run: str(json.loads((run / "run.json").read_text())["created"]))


def test_the_judge_is_a_run_that_the_next_one_finds_and_a_resumed_one_keeps(
    cnnexp: CommandLine, tmp_path: Path
) -> None:
    done = cnnexp(*GAN, "model.conditional=true")
    assert done.status == 0, done.err
    assert "task.judge=lenet5: such a net is trained first, as a run of its own" in done.out
    (judge,), (first,) = named(tmp_path, "lenet5"), named(tmp_path, "dcgan")
    record = json.loads((first / "summary.json").read_text())
    assert {"test/frechet", "test/least_share", "test/as_asked", "test/frechet_of_training"} <= set(record["metrics"])
    assert set(record["per_class"]["test/share"]) == set("0123456789") and record["gap"] == {}
    assert yaml.safe_load((first / "config.yaml").read_text())["task"]["judge"] == f"run:{judge.name}"
    assert {path.stem for path in (first / "pictures").iterdir()} == {"curves", "film", "samples"}
    refused = cnnexp(*GAN, f"task.judge=run:{first.name}")
    assert refused.status == 2 and "a judge is a classifier: task.judge=lenet5 trains one" in refused.lines[0]
    expected = outcome(first)
    assert cnnexp(*GAN, "model.conditional=true", kill="batch:7").status == -9
    killed = named(tmp_path, "dcgan")[1]
    assert named(tmp_path, "lenet5") == [judge], "found again"
    done = cnnexp("resume", killed.name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(killed)) == []
    (tmp_path / "elsewhere").mkdir()
    away = cnnexp("test", str(killed), "--json", cwd=tmp_path / "elsewhere")
    assert json.loads(away.out)["metrics"]["test/frechet"] == pytest.approx(record["metrics"]["test/frechet"])
    shutil.rmtree(judge)
    again = cnnexp("test", killed.name, "--json")
    assert again.status == 0 and "nobody judges what is made up" in again.err
    assert "test/frechet" not in json.loads(again.out)["metrics"]
    done = cnnexp("resume", killed.name, "epochs=3")
    assert done.status == 0, done.err
    page = cnnexp("generate", killed.name, "--count", "5", "--quiz", "quiz.html", cwd=tmp_path)
    assert page.status == 0 and "5 pictures made up by" in page.out and "among 5 of the test" in page.out
    text = (tmp_path / "quiz.html").read_text()
    assert text.count('"real":true') == text.count('"real":false') == 5


REFUSED = {
    "no such run": (("task.judge=run:2020",), "2020: there are no runs in outputs"),
    "two processes": (("hardware=ddp_cpu",), "the task gan takes one process"),
    "a net that there is not": (("task.judge=lenet55",), "did you mean lenet5?"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, here: CommandLine, tmp_path: Path) -> None:
    words, expected = REFUSED[name]
    done = here(*GAN, *words)
    assert done.status == 2 and len(done.lines) == 1 and expected in done.err, done.err
    assert not (tmp_path / "outputs").exists(), "no judge was trained for it"


def test_a_trial_trains_no_judge(here: CommandLine, only_run: Callable[[], Path]) -> None:
    done = here(*GAN, "max_steps=1")
    assert done.status == 0, done.err
    assert yaml.safe_load((only_run() / "config.yaml").read_text())["task"]["judge"] is None


def test_a_judge_says_of_test_pictures_what_its_run_said(trained: Path) -> None:
    """In [0, 1], as nets make them; the features are what the last layer makes its answer of."""
    record = read_record(trained)
    judge = RunJudge(record)
    pictures = reopen_data(record, checked_config(record)).data.split("test").batch(torch.arange(100))["image"] / 255
    features, classes = judge(pictures)
    with (trained / "predictions.csv").open() as file:
        said = [row["prediction"] for row in csv.DictReader(file)][:100]
    assert [judge.names[number] for number in classes.tolist()] == said and len(set(said)) > 1
    last = [layer for layer in judge.task.net.modules() if isinstance(layer, torch.nn.Linear)][-1]
    assert torch.equal(last(features).argmax(1), classes)
    larger = torch.nn.functional.interpolate(pictures, scale_factor=2)
    assert judge(larger)[0].shape == features.shape
