"""Where the data of a recorded run is looked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnexp.errors import InputError
from cnnexp.runs.data_places import anchored, located, moved, place_words, places_of
from cnnexp.runs.data_record import DataRecord, SplitRecord


def config(**data: str | None) -> dict[str, Any]:
    return {"choices": {"data": "csv"}, "data": {"root": None, "file": None, **data}}


def recorded(began: dict[str, Any], run: Path) -> DataRecord:
    splits = {split: SplitRecord.of(1, ["a"]) for split in ("train", "val", "test")}
    return replace(DataRecord.of(splits, ()), places=places_of(began, began, run))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``p`` with a table and a run's folder, begun from within it; the working directory is another one then."""
    (tmp_path / "p" / "runs" / "one").mkdir(parents=True)
    (tmp_path / "p" / "t.csv").touch()
    monkeypatch.chdir(tmp_path / "p")
    return tmp_path / "p"


def test_a_table_is_found_where_it_was_and_with_the_run_that_it_was_moved_with(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, said = config(file="t.csv"), []
    record = recorded(began, project / "runs" / "one")
    monkeypatch.chdir(tmp_path)
    found = located(began, record, project / "runs" / "one", said.append)
    assert found["data"]["file"] == str(project / "t.csv") and said == []
    project.rename(tmp_path / "q")
    found = located(began, record, tmp_path / "q" / "runs" / "one", said.append)
    assert found["data"]["file"] == str(tmp_path / "q" / "t.csv")
    assert said == [f"data.file=t.csv is {tmp_path / 'q' / 't.csv'}; when the run began it was {project / 't.csv'}"]


def test_a_table_that_is_nowhere_is_asked_for_by_its_key(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = config(file="t.csv")
    record = recorded(began, project / "runs" / "one")
    (project / "t.csv").unlink()
    with pytest.raises(InputError, match=r"data\.file=t\.csv: no such file here.*data\.file=FILE$"):
        located(began, record, project / "runs" / "one", print)
    given = moved(began, {"data.file": "u.csv"})
    assert located(given, record, project / "runs" / "one", print)["data"]["file"] == "u.csv"


def test_a_table_that_is_named_within_the_folder_stays_as_it_is_named(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    began = config(root="p", file="t.csv")
    record = recorded(began, project / "runs" / "one")
    monkeypatch.chdir("/")
    found = located(began, record, project / "runs" / "one", print)["data"]
    assert (found["root"], found["file"]) == (str(project), "t.csv")


def test_places_are_anchored_where_the_command_was_given_first(project: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").touch()
    assert anchored(config(file="t.csv"), tmp_path)["data"] == {"root": None, "file": str(tmp_path / "t.csv")}
    (tmp_path / "t.csv").unlink()
    assert anchored(config(file="t.csv"), tmp_path)["data"]["file"] == str(project / "t.csv")
    assert anchored(config(file="no.csv"), tmp_path)["data"]["file"] == "no.csv"
    assert anchored(config(file=str(project / "t.csv")), tmp_path)["data"]["file"] == str(project / "t.csv")


def test_places_are_shown_as_they_are_given() -> None:
    assert place_words(config(root="d", file="t.csv")) == ["data.root=d", "data.file=t.csv"]
    assert place_words(config()) == [] == place_words({"data": {}})
