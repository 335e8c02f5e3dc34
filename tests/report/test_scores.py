from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.report.scores import higher_is_better, known_metrics, main_metric, score_of
from cnnexp.runs.read import Record


@pytest.mark.parametrize("metric", ["test/accuracy", "val/map_50", "psnr", "test/dice"])
def test_more_of_a_score_is_better(metric: str) -> None:
    assert higher_is_better(metric)


@pytest.mark.parametrize("metric", ["test/loss", "val/mse", "test/pca_mse", "train/box_loss"])
def test_less_of_a_loss_is_better(metric: str) -> None:
    assert not higher_is_better(metric)


@pytest.mark.parametrize(
    ("names", "monitor", "expected"),
    [
        (["val/accuracy", "test/loss", "test/accuracy"], "val/accuracy", "test/accuracy"),
        (["test/pixel_accuracy", "test/dice", "test/miou"], "val/miou", "test/miou"),
        (["test/mse", "test/psnr"], "val/mse", "test/mse"),
        (["test/mse", "test/psnr"], None, "test/psnr"),
        (["train/loss", "val/accuracy"], "val/accuracy", "val/accuracy"),
        (["test/strange", "val/accuracy"], "val/accuracy", "test/strange"),
        (["odd"], None, "odd"),
        ([], "val/accuracy", None),
    ],
)
def test_the_metric_that_a_run_is_judged_by(names: list[str], monitor: str | None, expected: str | None) -> None:
    assert main_metric(names, monitor) == expected


def test_a_run_without_final_metrics_shows_the_latest_that_it_wrote(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,step,train/loss,val/accuracy\n1,10,1.5,0.4\n2,20,1.2,0.5\n2,25,1.1,\n")
    running = Record(tmp_path, "r", "running", config={"task": {"monitor": "val/accuracy"}})
    assert known_metrics(running) == {"train/loss": 1.1, "val/accuracy": 0.5}
    assert score_of(running, known_metrics(running)) == ("val/accuracy", 0.5)
