"""Arguments that commands share: where they may stand, and where pictures may be written."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from cnnexp.commands.arguments import add_folder, add_overrides, add_run, folder_of, png_path
from cnnexp.errors import InputError


def test_folders_and_packages_of_one_s_own_add_up() -> None:
    parser = argparse.ArgumentParser()
    add_overrides(parser)
    first = parser.parse_args(["--config-dir", "a", "lr=1", "x=2", "--config-dir", "b", "--trust", "mine"])
    assert (first.config_dir, first.trust, first.overrides) == (["a", "b"], ["mine"], ["lr=1", "x=2"])
    second = parser.parse_args([])
    assert (second.config_dir, second.trust, second.overrides) == ([], [], []), "nothing is left of the call before"


def test_a_run_must_be_named_and_its_folder_need_not() -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_run(parser)
    assert vars(parser.parse_args(["last"])) == {"run": "last", "outputs": None}


def test_a_picture_may_go_to_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    for name in ("a.png", "A.PNG", "new/deeper/a.png"):
        assert png_path(str(tmp_path / name), "--plot") == tmp_path / name
    assert list(tmp_path.iterdir()) == [], "nothing is made yet"


def test_what_is_no_png_is_told_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        png_path(str(tmp_path / "net.pdf"), "--plot")
    assert str(refused.value) == f"--plot {tmp_path}/net.pdf: the picture is a PNG; name it {tmp_path}/net.png"
    with pytest.raises(InputError, match=r"name it plot\.png$"):
        png_path("plot", "--plot")
    with pytest.raises(InputError, match=rf"this is a folder; name a file, such as {tmp_path}/picture\.png$"):
        png_path(str(tmp_path), "--plot")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written .*set --plot FILE to one that can"):
        png_path(str(tmp_path / "file" / "a.png"), "--plot")
    parser = argparse.ArgumentParser()
    add_folder(parser)
    with pytest.raises(InputError, match=r"cannot be written .*set --out DIR to one that can"):
        folder_of(parser.parse_args(["--out", str(tmp_path / "file")]))
    assert folder_of(parser.parse_args(["--out", str(tmp_path / "new")])) == tmp_path / "new"
    assert not (tmp_path / "new").exists()
