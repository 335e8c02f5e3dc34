from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from cnnexp.errors import InputError
from cnnexp.runs.find import find_runs
from cnnexp.runs.keep import adopt, export, move_to_trash, size_bytes, tag, trash_folders
from cnnexp.runs.read import read_record
from tests.runs.conftest import MakeRun


def test_tags_come_and_go_and_the_rest_of_the_record_stays(make_run: MakeRun) -> None:
    folder = make_run("finished").folder
    before = json.loads((folder / "run.json").read_text())
    assert tag(read_record(folder), ["paper", "baseline", "paper"]) == ["baseline", "paper"]
    assert tag(read_record(folder), ["best"]) == ["baseline", "paper", "best"]
    assert tag(read_record(folder), ["baseline"], remove=True) == ["paper", "best"]
    after = json.loads((folder / "run.json").read_text())
    assert after == {**before, "tags": ["paper", "best"]}
    assert read_record(folder).tags == ["paper", "best"]


@pytest.mark.parametrize("word", ["", "-x", "two words", "a/b", "x" * 41, "é\n", "\x1b[2J"])
def test_what_is_no_tag_is_refused(make_run: MakeRun, word: str) -> None:
    record = read_record(make_run("finished").folder)
    with pytest.raises(InputError, match="a tag is letters, digits"):
        tag(record, ["good", word])
    assert read_record(record.folder).tags == []


def test_a_tag_that_is_not_there_cannot_be_taken_away(make_run: MakeRun) -> None:
    with pytest.raises(InputError, match="has no tag x; it has none"):
        tag(read_record(make_run("finished").folder), ["x"], remove=True)


def test_a_run_under_way_is_left_alone(make_run: MakeRun, tmp_path: Path) -> None:
    record = read_record(make_run().folder)
    for act in (lambda: tag(record, ["x"]), lambda: move_to_trash(record), lambda: export(record, tmp_path / "r.zip")):
        with pytest.raises(InputError, match="is still running"):
            act()
    assert record.folder.is_dir()
    assert not (tmp_path / "r.zip").exists()


def test_a_run_that_somebody_else_holds_is_left_alone(make_run: MakeRun) -> None:
    writer = make_run("finished")
    record = read_record(writer.folder)
    assert writer._lock.take(), "as `cnnexp resume` would hold it"
    with pytest.raises(InputError, match="is still running"):
        move_to_trash(record)


def test_the_trash_is_beside_the_run_and_no_run_is_overwritten_there(make_run: MakeRun, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    folder = make_run("finished").folder
    identity = folder.name
    first = move_to_trash(read_record(folder))
    assert first == (outputs / ".trash" / identity).resolve()
    assert find_runs([outputs]) == []
    first.rename(folder)
    assert [run.name for run in find_runs([outputs])] == [identity], "moved back it is a run again"
    move_to_trash(read_record(folder))
    again = make_run("finished").folder
    again.rename(folder)
    assert move_to_trash(read_record(folder)).name == f"{identity}.2"
    assert trash_folders(outputs) == [outputs / ".trash"]


def test_a_link_as_trash_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "outputs" / ".trash").symlink_to(tmp_path / "elsewhere")
    assert trash_folders(tmp_path / "outputs") == []


def test_an_archive_holds_the_run_and_gives_it_back(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("finished").folder
    (folder / "checkpoints" / "best.ckpt").write_bytes(os.urandom(1000))
    record = read_record(folder)
    export(record, tmp_path / "run.zip")
    export(record, tmp_path / "again.zip")
    assert (tmp_path / "run.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "run.zip") as packed:
        assert f"{record.id}/.lock" not in packed.namelist()
        packed.extractall(tmp_path / "unpacked")
    other = tmp_path / "other"
    other.mkdir()
    back = adopt(tmp_path / "unpacked", other)
    assert back == other / record.id
    restored = read_record(back)
    assert (restored.run, restored.config, restored.status) == (record.run, record.config, "finished")
    assert (back / "checkpoints" / "best.ckpt").read_bytes() == (folder / "checkpoints" / "best.ckpt").read_bytes()


def test_a_link_in_a_run_is_not_packed(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("finished").folder
    for target in ("/etc/passwd", "/etc"):
        (folder / "secret").symlink_to(target)
        with pytest.raises(InputError, match="secret is no ordinary file"):
            export(read_record(folder), tmp_path / "run.zip")
        (folder / "secret").unlink()
    assert not (tmp_path / "run.zip").exists()
    with pytest.raises(InputError, match="inside the run"):
        export(read_record(folder), folder / "run.zip")


def test_only_one_whole_run_that_is_not_there_yet_is_adopted(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("finished").folder
    outputs = tmp_path / "outputs"
    unpacked = tmp_path / "unpacked"
    (unpacked / folder.name).mkdir(parents=True)
    with pytest.raises(InputError, match="the run in the archive is damaged"):
        adopt(unpacked, outputs)
    for name in ("run.json", "config.yaml"):
        (unpacked / folder.name / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(InputError, match="there is such a run in"):
        adopt(unpacked, outputs)
    (unpacked / "second").mkdir()
    with pytest.raises(InputError, match="the archive holds something else than one run's folder"):
        adopt(unpacked, outputs)
    (unpacked / "second").rmdir()
    (unpacked / folder.name).rename(unpacked / ".trash")
    with pytest.raises(InputError, match="holds something else than one run's folder"):
        adopt(unpacked, outputs)


def test_the_size_is_that_of_the_files_and_links_count_as_themselves(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1_000_000)
    folder = tmp_path / "run"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "file").write_bytes(b"x" * 100_000)
    (folder / "link").symlink_to(tmp_path / "big")
    assert 100_000 <= size_bytes(folder) < 200_000
