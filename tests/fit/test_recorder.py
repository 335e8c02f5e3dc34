"""What is written down of a run, by its first process alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cnnexp.fit.console import RunLog
from cnnexp.fit.recorder import METRICS, Recorder
from cnnexp.report.gradients import FILE as GRADIENTS
from cnnexp.runs.lock import is_locked
from tests.builders.made import configuration
from tests.fit.made import record, writer


class Noted:
    """A logger that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[dict[str, float], int]] = []
        self.status = ""

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.rows.append((metrics, step))

    def finalize(self, status: str) -> None:
        self.status = status


@pytest.fixture
def recorder(run_folder: Path, log: RunLog) -> Recorder:
    return Recorder(log, writer(run_folder))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def everything(recorder: Recorder, **logger: Any) -> None:
    """A run as short as can be, with every call that a run makes."""
    recorder.begin("a processor")
    recorder.note("weights.json", {"source": "a.pth"})
    recorder.open_files(configuration(logger=logger))
    recorder.rewind(0, 5)
    recorder.add_results({"test/accuracy": 0.5}, 2, 10)
    summary: dict[str, Any] = {"metrics": {"test/accuracy": 0.5}}
    recorder.write_summary(summary)
    recorder.log_pictures(summary)
    recorder.show("a table")
    recorder.finish("finished", None, partial=False)


def test_all_of_a_run_is_written(recorder: Recorder, run_folder: Path, log: RunLog) -> None:
    everything(recorder)
    assert recorder.folder == run_folder
    assert json.loads((run_folder / "weights.json").read_text()) == {"source": "a.pth"}
    assert rows(run_folder / METRICS) == [{"epoch": "2", "step": "10", "test/accuracy": "0.5"}]
    assert recorder.metrics_rows() == [{"epoch": 2, "step": 10, "test/accuracy": 0.5}]
    assert json.loads((run_folder / "summary.json").read_text()) == {"metrics": {"test/accuracy": 0.5}}
    assert "a table" in log.console.export_text()
    written = record(run_folder)
    assert (written["status"], written["device"], written["partial"]) == ("finished", "a processor", False)
    assert 0 <= written["duration_s"] < 60
    assert "finished" in (run_folder / "log.txt").read_text()
    assert not is_locked(run_folder)


def test_the_other_processes_write_nothing(tmp_path: Path, log: RunLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    other = Recorder(log, None)
    everything(other)
    other.discard()
    assert list(tmp_path.iterdir()) == [] and log.console.export_text() == ""
    assert other.folder is None and other.metrics is None and other.metrics_rows() == []


@pytest.mark.parametrize(("wish", "window"), [(True, None), (10, 10)])
def test_gradients_are_for_epochs_or_so_many_steps(
    wish: bool | int, window: int | None, recorder: Recorder, log: RunLog
) -> None:
    recorder.open_files(configuration(logger={"gradients": wish}))
    other = Recorder(log, None)
    other.open_files(configuration(logger={"gradients": wish}))
    for one in (recorder, other):
        assert one.gradients is not None and one.gradients._every_steps == window


def test_no_gradients_unless_they_are_asked_for(recorder: Recorder, run_folder: Path) -> None:
    recorder.open_files(configuration())
    assert recorder.gradients is None
    summary: dict[str, Any] = {"metrics": {}}
    recorder.write_summary(summary)
    assert "gradients" not in summary and not (run_folder / "pictures" / "gradients.png").exists()


def test_recorded_gradients_are_in_the_summary_and_drawn(recorder: Recorder, run_folder: Path) -> None:
    (run_folder / GRADIENTS).write_text("epoch,step,layer/a,layer/b,total\n1,5,1,2,3\n2,10,0.5,2,2.5\n3,15,9,9,9\n")
    recorder.open_files(configuration(logger={"gradients": True}))
    recorder.rewind(10, 5)
    summary: dict[str, Any] = {"metrics": {}}
    recorder.write_summary(summary)
    found = json.loads((run_folder / "summary.json").read_text())["gradients"]
    assert (found["first_to_last"], found["total"]) == (0.25, 2.5)
    assert len(rows(run_folder / GRADIENTS)) == 2, "the row after the step goes"
    with Image.open(run_folder / "pictures" / "gradients.png") as picture:
        assert min(picture.size) > 100


def test_what_came_after_the_step_is_taken_back(recorder: Recorder, run_folder: Path) -> None:
    (run_folder / METRICS).write_text("epoch,step,val/loss\n1,5,2.0\n2,10,1.0\n3,15,0.5\n")
    recorder.open_files(configuration())
    recorder.rewind(10, 5)
    assert [row["step"] for row in rows(run_folder / METRICS)] == ["5", "10"]


def test_loggers_get_the_test_and_are_told_how_it_ended(recorder: Recorder) -> None:
    recorder.open_files(configuration())
    logger: Any = Noted()
    recorder.loggers = [logger]
    recorder.add_results({"test/accuracy": 0.5}, 2, 10)
    assert logger.rows == [({"test/accuracy": 0.5}, 10)]
    recorder.finish("failed", "the loss is nan", partial=False)
    assert logger.status == "failed"


def test_an_end_with_an_error_is_in_the_record_and_in_the_log(recorder: Recorder, run_folder: Path) -> None:
    recorder.begin("a processor")
    recorder.finish("failed", "the loss is nan", partial=True)
    assert (record(run_folder)["error"], record(run_folder)["partial"]) == ("the loss is nan", True)
    assert "failed: the loss is nan" in (run_folder / "log.txt").read_text()


def test_only_a_run_without_metrics_is_thrown_away(tmp_path: Path, log: RunLog) -> None:
    for name in ("trained", "new"):
        recorder = Recorder(log, writer(tmp_path / name))
        if name == "trained":
            recorder.open_files(configuration())
            recorder.add_results({"test/loss": 1.0}, 1, 5)
        recorder.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["trained"]
