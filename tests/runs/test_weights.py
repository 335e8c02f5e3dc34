"""Which weights of a run are used, and of which run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnexp.errors import InputError
from cnnexp.runs.checkpoints import BEST, LAST
from cnnexp.runs.read import Record, read_record
from cnnexp.runs.weights import kept_weights, newest_with_weights
from tests.runs.conftest import MakeRun


def a_run(make_run: MakeRun, status: str, *files: str, begun: str = "2026-01-01", steps: int | None = None) -> Record:
    folder = make_run(status).folder
    for file in files:
        (folder / file).write_bytes(b"weights")
    run = folder / "run.json"
    run.write_text(json.dumps({**json.loads(run.read_text()), "started": begun}))
    if steps is not None:
        (folder / "summary.json").write_text(json.dumps({"steps": steps}))
    return read_record(folder)


@pytest.mark.parametrize("status", ["finished", "stopped", "interrupted", "failed"])
def test_the_best_ones_where_there_are_some(status: str, make_run: MakeRun) -> None:
    record = a_run(make_run, status, BEST, LAST)
    kept = kept_weights(record)
    assert (kept.path, kept.name, kept.note) == (record.folder / BEST, "best", None)
    assert kept_weights(record, "last").path == record.folder / LAST
    assert kept_weights(record, "last").note is None, "that is what was asked for"


def test_the_last_ones_of_a_run_that_was_stopped_before_it_had_any_best_and_a_note(make_run: MakeRun) -> None:
    record = a_run(make_run, "stopped", LAST, steps=1200)
    kept = kept_weights(record)
    assert (kept.path, kept.name) == (record.folder / LAST, "last")
    assert kept.note == "stopped before the end of its first epoch, after step 1,200: its last weights are taken"
    with pytest.raises(InputError, match=r"no best weights.*--checkpoint last takes its last ones"):
        kept_weights(record, "best")


def test_a_finished_run_that_lost_its_best_weights_is_damaged(make_run: MakeRun) -> None:
    with pytest.raises(InputError, match=r"has no checkpoints/best\.ckpt"):
        kept_weights(a_run(make_run, "finished", LAST))


def test_a_run_without_any(make_run: MakeRun) -> None:
    record = a_run(make_run, "failed")
    with pytest.raises(InputError, match=f"{record.id} has no weights.*cnnexp resume {record.id}"):
        kept_weights(record)


def test_the_newest_run_is_the_one_that_was_begun_last_of_those_with_weights(make_run: MakeRun, tmp_path: Path) -> None:
    a_run(make_run, "finished", BEST, LAST, begun="2026-01-01")
    stopped = a_run(make_run, "stopped", LAST, begun="2026-01-03")
    a_run(make_run, "finished", BEST, LAST, begun="2026-01-02")
    a_run(make_run, "failed", begun="2026-01-04")
    a_run(make_run, "running", BEST, LAST, begun="2026-01-05")
    assert newest_with_weights(tmp_path / "outputs") == stopped.folder


def test_no_run_with_weights(make_run: MakeRun, tmp_path: Path) -> None:
    a_run(make_run, "failed")
    with pytest.raises(InputError, match=r"no run in .* has weights"):
        newest_with_weights(tmp_path / "outputs")
