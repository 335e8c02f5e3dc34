"""A file holds one idea, and three of them stay small enough to be read in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.imports import PACKAGE, parts

MOST_LINES = 350
CORE_LINES = 200
CORE = ("tasks/base.py", "builders/build.py", "fit/run.py")
"""What a run is, how it is built and how it goes."""


def too_long(package: Path) -> list[str]:
    """Every file under `package` with more lines than it may have."""
    lengths = {
        str(file.relative_to(package)): len(file.read_text(encoding="utf-8").splitlines())
        for files in parts(package).values()
        for file in files
    }
    most = {file: CORE_LINES if file in CORE else MOST_LINES for file in lengths}
    return [f"{file}: {length} lines" for file, length in lengths.items() if length > most[file]]


def test_no_file_is_too_long() -> None:
    assert all((PACKAGE / file).is_file() for file in CORE)
    assert too_long(PACKAGE) == []


@pytest.mark.parametrize(("file", "most"), [("tasks/base.py", CORE_LINES), ("tasks/gan.py", MOST_LINES)])
def test_a_long_file_is_seen(tmp_path: Path, file: str, most: int) -> None:
    package = tmp_path / "cnnexp"
    (package / "tasks").mkdir(parents=True)
    (package / file).write_text("x = 1\n" * most)
    assert too_long(package) == []
    (package / file).write_text("x = 1\n" * (most + 1))
    assert too_long(package) == [f"{file}: {most + 1} lines"]
