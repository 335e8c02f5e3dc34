"""Runs of one candidate together: by hand, and what a sweep writes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cnnexp.runs.read import read_record
from cnnexp.sweep.repeats import FOLD, Repeats, draw_pooled, share
from tests.sweep.conftest import MakeStudy, plan_of
from tests.sweep.test_ending import concluded, ended, summary

HEAD = "index,target,prediction,probability"
ROWS = (
    ["0,cat,cat,0.9", "1,dog,cat,0.6"],
    ["0,dog,dog,0.8", "1,dog,dog,0.7", "2,cat,cat,0.9"],
)
"""Four of five right; a dog was taken for a cat."""


def write_run(folder: Path, place: int, head: str = HEAD, val: float = 0.5) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"schema_version": 1, "status": "finished"}))
    (folder / "config.yaml").write_text("data:\n  classes: [cat, dog]\n")
    right = sum(row.split(",")[1] == row.split(",")[2] for row in ROWS[place])
    metrics = {"test/accuracy": right / len(ROWS[place]), "test/loss": 0.25, "train/accuracy": 1.0}
    (folder / "summary.json").write_text(json.dumps({"metrics": metrics}))
    (folder / "metrics.csv").write_text(f"epoch,step,val/accuracy\n0,1,{val}\n")
    (folder / "predictions.csv").write_text("\n".join([head, *ROWS[place]]) + "\n")
    return folder


def repeats(tmp_path: Path, key: str = FOLD, **given: Any) -> Repeats:
    runs = tuple(read_record(write_run(tmp_path / str(place), place, **given)) for place in range(2))
    return Repeats(key, "val/accuracy", ("0", "1"), runs, (0.75, 0.25))


def test_means_are_those_of_the_runs_and_the_interval_students(tmp_path: Path) -> None:
    """Of 0.5 and 1 the mean is 0.75, the standard error 0.25, and t with one degree of freedom 12.7062."""
    found = repeats(tmp_path).as_record()
    assert found["runs"][1] == {"value": "1", "val/accuracy": 0.25, "test/accuracy": 1.0, "test/loss": 0.25}
    mean = found["means"]["test/accuracy"]
    assert (mean["n"], mean["mean"]) == (2, 0.75)
    assert mean["high"] - mean["mean"] == pytest.approx(12.7062 * 0.25, rel=1e-5)
    assert found["means"]["val/accuracy"]["mean"] == 0.5
    assert "train/accuracy" not in found["means"]


def test_folds_are_counted_together(tmp_path: Path) -> None:
    """Wilson by hand, p = 4/5: centre (p + z²/2n) / (1 + z²/n), reach z/(1 + z²/n) √(p(1-p)/n + z²/4n²)."""
    pooled = repeats(tmp_path).as_record()["pooled"]
    assert pooled["confusion"] == [[2, 0], [1, 2]]
    assert (pooled["right"], pooled["count"], pooled["accuracy"]) == (4, 5, 0.8)
    z2 = 1.959964**2
    centre, reach = (0.8 + z2 / 10) / (1 + z2 / 5), 1.959964 / (1 + z2 / 5) * (0.8 * 0.2 / 5 + z2 / 100) ** 0.5
    assert (pooled["low"], pooled["high"]) == pytest.approx((centre - reach, centre + reach), rel=1e-5)


def test_runs_of_other_seeds_test_the_same_samples_and_are_not_pooled(tmp_path: Path) -> None:
    found = repeats(tmp_path, key="seed")
    assert found.as_record()["pooled"] is None and not any("together" in line for line in found.lines())
    assert draw_pooled(found, tmp_path / "confusion.png", "") is None


def test_predictions_of_another_kind_are_not_pooled(tmp_path: Path) -> None:
    assert repeats(tmp_path, head="index,mse,psnr,more").as_record()["pooled"] is None


def test_a_table_with_the_mean_below(tmp_path: Path) -> None:
    lines = repeats(tmp_path).lines()
    assert lines[0].split() == [FOLD, "val/accuracy", "test/accuracy"]
    assert [line.split() for line in lines[1:4]] == [
        ["0", "0.7500", "0.5000"],
        ["1", "0.2500", "1.0000"],
        ["mean", "0.5000", "0.7500"],
    ]
    assert len({len(line) for line in lines[:5]}) == 1
    assert "all folds together: 4 of 5 right, 0.8000 (95 % interval 0.3755 to 0.9638, Wilson)" in lines


def test_an_accuracy_of_a_matrix() -> None:
    import numpy as np

    found = share(np.array([[3, 1], [0, 6]]))
    assert (found.right, found.count) == (9, 10)


def test_a_cross_validation_ends_with_its_folds_and_their_matrix(study_of: MakeStudy, tmp_path: Path) -> None:
    """One candidate, so that there is no search to draw and no setting that could matter."""
    plan = plan_of("data.split.folds=2", "data.split.fold=0,1", "sweep=grid", "sweep.average=data.split.fold")
    study = study_of(plan)
    for place, val in enumerate((0.75, 0.25)):
        write_run(tmp_path / "trials" / f"0000-{place}" / "run", place, val=val)
    ended(study, 0.5)
    said = concluded(plan, tmp_path, study)
    assert any(line.startswith("all folds together: 4 of 5 right") for line in said)
    assert not any(line.startswith("importance") for line in said)
    assert summary(tmp_path)["best"]["repeats"]["pooled"]["confusion"] == [[2, 0], [1, 2]]
    assert [run["val/accuracy"] for run in summary(tmp_path)["best"]["repeats"]["runs"]] == [0.75, 0.25]
    with Image.open(tmp_path / "pictures" / "confusion.png") as picture:
        assert min(picture.size) > 200
    assert not (tmp_path / "pictures" / "search.png").exists()
