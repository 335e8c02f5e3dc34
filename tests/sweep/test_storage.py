"""Where a study lives: what is understood, what is shown of it, and its lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cnnexp.errors import InputError
from cnnexp.sweep.storage import StudyStorage, checked_storage, with_driver, without_password
from tests.packaging.imports import ROOT

COUNT = """
import sys
from pathlib import Path
from cnnexp.sweep.storage import StudyStorage
storage = StudyStorage(sys.argv[2] or None, Path(sys.argv[1]))
counter = Path(sys.argv[1], "counter")
for _ in range(50):
    with storage.locked("one"):
        counter.write_text(str(int(counter.read_text()) + 1))
"""


@pytest.mark.parametrize("given", ["", "sqlite:///{}/study.db"])
def test_one_process_at_a_time_holds_the_lock(tmp_path: Path, given: str) -> None:
    (tmp_path / "counter").write_text("0")
    StudyStorage(given.format(tmp_path) or None, tmp_path)
    command = [sys.executable, "-c", COUNT, str(tmp_path), given.format(tmp_path)]
    counting = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=120) for process in counting] == [0] * 3
    assert (tmp_path / "counter").read_text() == "150"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://me:secret@host:5432/one", "postgresql://me@host:5432/one"),
        ("postgresql://me@host/one", "postgresql://me@host/one"),
        ("mysql+pymysql://me:a:b@host/one", "mysql+pymysql://me@host/one"),
        ("sweep.storage=postgresql://me:secret@host/one", "sweep.storage=postgresql://me@host/one"),
        ("study.journal", "study.journal"),
    ],
)
def test_a_password_is_never_shown(given: str, shown: str) -> None:
    assert without_password(given) == shown


def test_postgresql_has_one_driver_whatever_sqlalchemy_thinks() -> None:
    assert with_driver("postgresql://me@host/one") == "postgresql+psycopg://me@host/one"
    assert with_driver("postgres://me@host/one") == "postgresql+psycopg://me@host/one"
    assert with_driver("postgresql+psycopg2://me@host/one") == "postgresql+psycopg2://me@host/one"


@pytest.mark.parametrize("given", [None, "study.journal", "postgresql://host/one", "mysql+pymysql://host/one"])
def test_a_known_kind_is_taken(given: str | None) -> None:
    assert checked_storage(given) == (str(Path.cwd() / "study.journal") if given == "study.journal" else given)


@pytest.mark.parametrize("given", ["redis://host", "http://host/one", "postgresqll://host/one"])
def test_an_unknown_kind_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="expected one of postgresql, mysql, sqlite, or a file"):
        checked_storage(given)


@pytest.mark.parametrize(
    ("url", "fix"),
    [("postgresql+none://me@host/one", "cnnexp[postgresql]"), ("mysql+none://me@host/one", "pip install pymysql")],
)
def test_a_database_without_a_driver_is_refused_with_what_to_install(tmp_path: Path, url: str, fix: str) -> None:
    with pytest.raises(InputError, match="there is no driver for it") as refused:
        StudyStorage(url, tmp_path)
    assert fix in refused.value.lines[0]


def test_a_journal_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.journal").write_text("not a journal\nat all\n")
    with pytest.raises(InputError, match="not a journal that can be read"):
        StudyStorage(None, tmp_path)


def test_a_journal_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written .*sweep\.storage=FILE"):
        StudyStorage(str(tmp_path / "none" / "study.journal"), tmp_path)
