from __future__ import annotations

import errno
import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from cnnexp.errors import InputError
from cnnexp.runs import write
from cnnexp.runs.read import read_record
from cnnexp.runs.write import RunWriter, writable_folder
from tests.runs.conftest import CONFIG, MakeRun


def test_a_run_begins_as_running_with_all_that_is_known(make_run: MakeRun) -> None:
    folder = make_run().folder
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "running"
    assert (record["id"], record["seed"], record["command"]) == (folder.name, 3, ["cnnexp", "train"])
    assert {"created", "started", "versions", "git", "host", "platform"} <= set(record)
    assert (folder / "checkpoints").is_dir()


def test_two_runs_of_one_second_have_folders_of_their_own(make_run: MakeRun) -> None:
    folders = {make_run("finished").folder for _ in range(5)}
    assert len(folders) == 5


def test_a_name_is_never_more_than_a_name(tmp_path: Path) -> None:
    config = {**CONFIG, "outputs": str(tmp_path), "choices": {"model": "../../evil", "data": "a b\x1b[31m"}}
    writer = RunWriter.create(config, "", [])
    assert writer.folder.parent == tmp_path
    assert writer.folder.name.isprintable() and " " not in writer.folder.name


def test_the_end_is_written_and_the_time_adds_up(make_run: MakeRun) -> None:
    writer = make_run("interrupted")
    frozen = "seed: 4\nchoices: {model: lenet5, data: mnist5k}\n"
    again = RunWriter.reopen(writer.folder, frozen, ["cnnexp", "resume"], ["max_steps=9"])
    assert json.loads((writer.folder / "run.json").read_text())["status"] == "interrupted"
    assert "seed: 3" in (writer.folder / "config.yaml").read_text(), "nothing changes before the start"
    again.start()
    assert read_record(writer.folder).status == "running"
    again.finish("finished", 2.0)
    record = json.loads((writer.folder / "run.json").read_text())
    assert (record["status"], record["duration_s"]) == ("finished", 3.5)
    (note,) = record["resumed"]
    assert (note["was"], note["overrides"]) == ("interrupted", ["max_steps=9"])
    assert (writer.folder / "config.yaml").read_text() == frozen


def test_one_writer_at_a_time(make_run: MakeRun) -> None:
    writer = make_run()
    with pytest.raises(InputError, match="still running"):
        RunWriter.reopen(writer.folder, "", [], [])
    writer.finish("stopped", 1.0)
    RunWriter.reopen(writer.folder, "", [], [])


def test_a_discarded_run_leaves_nothing(tmp_path: Path, make_run: MakeRun) -> None:
    make_run(outputs=tmp_path / "new" / "deep").discard()
    assert list(tmp_path.iterdir()) == []
    kept = make_run("finished", outputs=tmp_path / "outputs")
    make_run(outputs=tmp_path / "outputs").discard()
    assert list((tmp_path / "outputs").iterdir()) == [kept.folder]


def test_a_failure_while_it_begins_leaves_nothing(
    tmp_path: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(write, "write_json", full)
    with pytest.raises(InputError, match="the disk is full"):
        make_run(outputs=tmp_path / "new" / "deep")
    assert list(tmp_path.iterdir()) == []


def test_the_end_is_written_on_a_full_disk_too(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = make_run()

    def full(path: Path, content: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(write, "write_json", full)
    writer.finish("failed", 1.0, error="the disk is full")
    record = read_record(writer.folder)
    assert (record.status, record.error) == ("failed", "the disk is full")


def test_looking_whether_a_folder_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "new", tmp_path / "new" / "deep"):
        assert writable_folder(folder) == folder
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "else")
    for name in ("file", "file/below", "dangling", "/proc/cnnexp"):
        with pytest.raises(InputError, match=r"cannot be written .*: set --out DIR to one that can"):
            writable_folder(tmp_path / name, "--out DIR")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(InputError, match=r"the disk is full \(1 MB free\): free some space, or set outputs=FOLDER"):
        writable_folder(tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file"]
