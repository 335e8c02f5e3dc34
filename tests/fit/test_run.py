"""However a run ends, its record says so, its lock is free, and the error goes on to whoever asked for the run."""

from __future__ import annotations

import errno
import logging
from pathlib import Path
from typing import Any

import pytest

from cnnexp.errors import InputError, Interrupted, RunFailed
from cnnexp.fit import run as running
from cnnexp.fit.console import RunLog
from cnnexp.fit.ranks import Role
from cnnexp.fit.recorder import METRICS, Recorder
from cnnexp.fit.setup import Request, Run
from cnnexp.runs.lock import is_locked
from tests.builders.made import configuration
from tests.fit.made import record, writer


def under_way(folder: Path, log: RunLog, *, new: bool = True, rank: int = 0) -> Run:
    """A run that has begun and trained nothing yet."""
    recorder = Recorder(log, writer(folder) if rank == 0 else None)
    folder.mkdir(exist_ok=True)
    nothing: Any = None
    return Run(configuration(), nothing, nothing, Role(rank=rank), recorder, folder, new=new)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, log: RunLog) -> Any:
    """``ended(run, how)``: the fit raises an error, or returns a status."""

    def end(run: Run, how: BaseException | str) -> int:
        def fit_and_test(run: Run) -> str:
            if isinstance(how, BaseException):
                raise how
            run.partial = how == "stopped"
            return how

        monkeypatch.setattr(running, "_fit_and_test", fit_and_test)
        return running._recorded(run)

    return end


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "20260102-030405-linear-0a1b"


@pytest.mark.parametrize(("status", "partial"), [("finished", False), ("stopped", True)])
def test_a_run_that_came_to_its_end(status: str, partial: bool, folder: Path, log: RunLog, ended: Any) -> None:
    assert ended(under_way(folder, log), status) == 0
    written = record(folder)
    assert (written["status"], written["partial"], written["error"]) == (status, partial, None)
    assert log.console.export_text().strip() == str(folder)
    assert not is_locked(folder)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Interrupted("stopped after step 40, saved"), "stopped after step 40, saved; go on with: cnnexp resume {name}"),
        (KeyboardInterrupt(), "interrupted; go on with: cnnexp resume {name}"),
    ],
)
def test_a_run_that_was_interrupted_says_how_to_go_on(
    error: BaseException, says: str, folder: Path, log: RunLog, ended: Any
) -> None:
    with pytest.raises(Interrupted) as interrupted:
        ended(under_way(folder, log), error)
    assert str(interrupted.value) == says.format(name=folder.name)
    assert (record(folder)["status"], record(folder)["error"]) == ("interrupted", None)
    assert not is_locked(folder)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RunFailed("the loss is nan\nin epoch 2"), "the loss is nan"),
        (RuntimeError("\n  \nshapes 3 and 4\nTraceback"), "RuntimeError: shapes 3 and 4"),
        (ValueError(), "ValueError: "),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_a_failure_is_recorded_in_one_line_and_goes_on(
    error: BaseException, line: str, folder: Path, log: RunLog, ended: Any
) -> None:
    with pytest.raises(type(error)) as failed:
        ended(under_way(folder, log), error)
    assert failed.value is error
    assert (record(folder)["status"], record(folder)["error"]) == ("failed", line)
    assert not is_locked(folder)


def test_a_full_disk_is_one_line_and_nothing_is_thrown_away(folder: Path, log: RunLog, ended: Any) -> None:
    with pytest.raises(RunFailed, match=r"the disk is full .*outputs=FOLDER") as failed:
        ended(under_way(folder, log), OSError(errno.ENOSPC, "No space left on device"))
    assert isinstance(failed.value.__cause__, OSError)
    assert record(folder)["status"] == "failed"
    assert record(folder)["error"].startswith(f"{folder}: the disk is full")


def test_bad_input_takes_away_a_new_run_that_trained_nothing_and_no_other(
    tmp_path: Path, log: RunLog, ended: Any
) -> None:
    folders = {name: tmp_path / name for name in ("new", "trained", "resumed")}
    for name, folder in folders.items():
        run = under_way(folder, log, new=name != "resumed")
        if name == "trained":
            (folder / METRICS).write_text("epoch,step\n1,5\n")
        with pytest.raises(InputError, match="rank 1 was started"):
            ended(run, InputError("rank 1 was started with another configuration"))
    assert [name for name, folder in folders.items() if folder.exists()] == ["trained", "resumed"]
    assert record(folders["resumed"])["error"] == "rank 1 was started with another configuration"


def test_another_process_leaves_its_error_beside_the_record(folder: Path, log: RunLog, ended: Any) -> None:
    with pytest.raises(RunFailed):
        ended(under_way(folder, log, rank=2), RunFailed("a rank died"))
    assert [path.name for path in folder.iterdir()] == ["error-rank2.txt"]
    assert (folder / "error-rank2.txt").read_text() == "a rank died\n"


def test_another_process_that_ended_well_or_was_interrupted_writes_nothing(
    folder: Path, log: RunLog, ended: Any
) -> None:
    assert ended(under_way(folder, log, rank=2), "finished") == 0
    with pytest.raises(Interrupted):
        ended(under_way(folder, log, rank=2), KeyboardInterrupt())
    assert list(folder.iterdir()) == []
    assert log.console.export_text() == ""


def test_a_run_that_could_not_begin_lets_go_of_the_logging(tmp_path: Path, logging_kept: None) -> None:
    (tmp_path / "outputs").write_text("a file")
    request = Request(configuration(outputs=str(tmp_path / "outputs")), ["cnnexp", "train"])
    with pytest.raises(InputError, match="outputs"):
        running.run(request, Role())
    assert logging._warnings_showwarning is None, "warnings are shown again as before"  # type: ignore[attr-defined]
