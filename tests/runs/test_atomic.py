from __future__ import annotations

import errno
import json
import math
from pathlib import Path

import pytest

from cnnexp.runs.atomic import BLOCK_BYTES, overwrite_json, replacing, write_json, write_text


def test_the_new_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text in ("one", "two"):
        write_text(path, text)
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(OSError, match="full"), replacing(path) as temporary:
        temporary.write_text("half of the ne")
        assert path.read_text() == "old"
        raise OSError(errno.ENOSPC, "full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "file").symlink_to(tmp_path / "elsewhere")
    write_text(tmp_path / "file", "new")
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not (tmp_path / "file").is_symlink()


def test_numbers_that_json_does_not_know_are_null(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"nan": math.nan, "list": [math.inf, 1.5, (-math.inf,)], "é": {1: True}})
    content = json.loads((tmp_path / "a.json").read_text())
    assert content == {"nan": None, "list": [None, 1.5, [None]], "é": {"1": True}}


def test_in_place_a_file_may_grow_to_the_end_of_its_block(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"status": "running"})
    overwrite_json(path, {"status": "failed", "error": "x" * 1000})
    assert json.loads(path.read_text())["error"] == "x" * 1000
    overwrite_json(path, {"status": "a"})
    assert json.loads(path.read_text()) == {"status": "a"}
    with pytest.raises(OSError, match="no room"):
        overwrite_json(path, {"error": "x" * BLOCK_BYTES})
    assert json.loads(path.read_text()) == {"status": "a"}
