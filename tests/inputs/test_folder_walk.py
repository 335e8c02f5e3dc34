from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnexp.inputs.folder_walk import BROKEN, NO_FILE, TWICE, holds, is_hidden, walk


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def relative(root: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_hidden_files_and_all_below_hidden_folders_are_apart(tmp_path: Path) -> None:
    hidden = ["._a.png", ".thumbs/b.png", ".thumbs/deep/c.png", "@eaDir/a.png/x.jpg", "Thumbs.db", "__MACOSX/._a.png"]
    touch(tmp_path, "a.png", "sub/b.png", "sub/.ipynb_checkpoints/b-checkpoint.png", *hidden)
    found = walk(tmp_path)
    assert relative(tmp_path, found.files) == ["a.png", "sub/b.png"]
    assert set(relative(tmp_path, found.hidden)) == {*hidden, "sub/.ipynb_checkpoints/b-checkpoint.png"}
    assert relative(tmp_path, walk(tmp_path, deep=False).files) == ["a.png"]
    assert not is_hidden("cat") and is_hidden("desktop.ini")


def test_links_are_followed_and_each_file_counts_once(tmp_path: Path) -> None:
    inside, outside = tmp_path / "cat", tmp_path / "nas"
    touch(outside, "one.png", "two.png")
    touch(inside, "a.png")
    os.symlink(outside, inside / "session")
    os.symlink(outside, inside / "session again")
    os.symlink(inside / "a.png", inside / "0 the same.png")
    os.symlink(outside / "gone.png", inside / "z.png")
    found = walk(inside)
    assert relative(inside, found.files) == ["a.png", "session/one.png", "session/two.png"]
    odd = {path.name: why for path, why in found.odd}
    assert odd == {"session again": TWICE, "0 the same.png": TWICE, "z.png": BROKEN}


def test_cycles_end_and_no_link_leads_to_the_folders_above(tmp_path: Path) -> None:
    touch(tmp_path, "cat/a.png", "cat/deep/b.png", "dog/c.png")
    os.symlink(tmp_path / "cat", tmp_path / "cat" / "deep" / "round")
    os.symlink(tmp_path, tmp_path / "cat" / "up")
    found = walk(tmp_path / "cat")
    assert relative(tmp_path, found.files) == ["cat/a.png", "cat/deep/b.png"]
    assert sorted(path.name for path, _ in found.odd) == ["round", "up"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert walk(tmp_path).odd == [(tmp_path / "a.png", NO_FILE)]


def test_a_folder_holds_pictures_where_one_is_not_hidden(tmp_path: Path) -> None:
    touch(tmp_path, "a/.x/b.png", "a/b.txt")
    assert not holds(tmp_path, frozenset({".png"}))
    touch(tmp_path, "a/deep/b.PNG")
    assert holds(tmp_path, frozenset({".png"}))
