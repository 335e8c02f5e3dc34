from __future__ import annotations

from pathlib import Path

from cnnexp.runs.metrics import MetricsFile
from cnnexp.runs.read import read_metrics


def test_rows_go_to_the_disk_at_once_and_a_new_column_joins(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    file = MetricsFile(path)
    file.add({"epoch": 1, "step": 5, "train/step_loss": 0.1 + 0.2})
    assert path.read_text() == "epoch,step,train/step_loss\n1,5,0.30000000000000004\n"
    file.add({"epoch": 1, "step": 10, "val/accuracy": 0.5})
    assert path.read_text() == ("epoch,step,train/step_loss,val/accuracy\n1,5,0.30000000000000004,\n1,10,,0.5\n")
    assert read_metrics(path) == [
        {"epoch": 1, "step": 5, "train/step_loss": 0.1 + 0.2, "val/accuracy": None},
        {"epoch": 1, "step": 10, "train/step_loss": None, "val/accuracy": 0.5},
    ]


def test_rewinding_drops_what_came_after_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    undisturbed = MetricsFile(tmp_path / "undisturbed.csv")
    rows = [{"epoch": 1, "step": step, "train/step_loss": step / 7} for step in (5, 10, 15)]
    late = {"epoch": 1, "step": 15, "val/loss": 2.0}
    for row in (*rows, late):
        undisturbed.add(row)
    killed = MetricsFile(path)
    for row in (*rows, {"epoch": 2, "step": 20, "only/later": 1.0}):
        killed.add(row)
    resumed = MetricsFile(path)
    resumed.rewind(10)
    for row in (rows[2], late):
        resumed.add(row)
    assert path.read_text() == (tmp_path / "undisturbed.csv").read_text()


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    file = MetricsFile(path)
    for step in (5, 10):
        file.add({"epoch": 1, "step": step, "train/step_loss": 0.25})
    whole = path.read_text()
    path.write_text(whole[:-3])
    assert [row["step"] for row in read_metrics(path)] == [5]
    resumed = MetricsFile(path)
    resumed.rewind(100)
    resumed.add({"epoch": 1, "step": 10, "train/step_loss": 0.25})
    assert path.read_text() == whole


def test_rewinding_nothing(tmp_path: Path) -> None:
    MetricsFile(tmp_path / "metrics.csv").rewind(5)
    assert list(tmp_path.iterdir()) == []
