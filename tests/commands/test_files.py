"""Files that a command is asked to write: refused before the work, and said in a line where the disk gives out."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from cnnexp.commands.files import check_file, writing
from cnnexp.errors import InputError


@pytest.mark.parametrize(("option", "name"), [("plot", "a.png"), ("plot", "a.PNG"), ("html", "b.html")])
def test_a_file_of_its_kind_in_a_folder_that_there_is(
    option: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_file(option, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    check_file(option, name)
    check_file(option, None)
    (tmp_path / name).touch()
    check_file(option, name)


@pytest.mark.parametrize(
    ("option", "name", "says"),
    [
        ("plot", "a.html", "--plot a.html: the chart is a PNG; name it so: chart.png"),
        ("html", "a", "--html a: the page is an HTML file; name it so: page.html"),
        ("plot", "folder.png", "--plot folder.png: this is a folder; name a file"),
        ("plot", "no/a.png", "--plot no/a.png: there is no folder no; make it first"),
        ("html", "file/a.html", "--html file/a.html: there is no folder file; make it first"),
    ],
)
def test_what_cannot_be_written_is_refused(
    option: str, name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as refused:
        check_file(option, name)
    assert str(refused.value) == says


def test_a_full_disk_is_one_line_with_its_cause(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(InputError, match=r"free some space, or set --plot FILE$") as refused,
        writing("plot", tmp_path / "a.png"),
    ):
        raise full
    assert refused.value.__cause__ is full and str(tmp_path) in str(refused.value)


def test_a_mistake_that_is_none_of_the_disk_s_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="of mine"), writing("html", tmp_path / "a.html"):
        raise ValueError("of mine")
    with writing("html", tmp_path / "a.html"):
        (tmp_path / "a.html").write_text("x")
