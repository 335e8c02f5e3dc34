from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnexp.errors import InputError
from cnnexp.runs.find import DEPTH, find_runs, open_run, resolve
from tests.runs.conftest import MakeRun


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs by name; the second was started last."""
    started = {"20260101-a": "2026-01-01", "20260102-a": "2026-03-01", "20260102-b": "2026-02-01"}
    for name, time in started.items():
        folder = tmp_path / "outputs" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"started": time}))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs"


def test_an_id_a_beginning_a_folder_and_the_last(outputs: Path) -> None:
    for text, name in (
        ("20260101-a", "20260101-a"),
        ("20260101", "20260101-a"),
        ("20260102-b", "20260102-b"),
        (str(outputs / "20260102-a"), "20260102-a"),
        ("outputs/20260102-a/", "20260102-a"),
        ("last", "20260102-a"),
    ):
        assert resolve(text, outputs).name == name, text


def test_a_whole_id_wins_over_longer_ones(outputs: Path) -> None:
    (outputs / "20260101-a-2").mkdir()
    (outputs / "20260101-a-2" / "run.json").write_text("{}")
    assert resolve("20260101-a", outputs).name == "20260101-a"


def test_a_torn_record_is_not_the_last_and_does_not_disturb(outputs: Path) -> None:
    (outputs / "20260102-a" / "run.json").write_text('{"started": ')
    assert resolve("last", outputs).name == "20260102-b"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("20260102", "2 runs begin so .20260102-a, 20260102-b.; give more"),
        ("20260102-c", "no such run .*did you mean 20260102"),
        ("nothing", "no such run"),
        ("outputs/none", "not a run's folder"),
        (".", "not a run's folder"),
    ],
)
def test_what_is_no_one_run(outputs: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        resolve(text, outputs)


def test_no_runs_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cnnexp train"):
        resolve("last", tmp_path / "nowhere")


def test_runs_are_found_below_and_links_are_not_followed(outputs: Path) -> None:
    deep = outputs.joinpath(*["deeper"] * (DEPTH - 1), "20260103-c")
    too_deep = outputs.joinpath(*["deep"] * DEPTH, "20260104-d")
    for folder in (deep, too_deep, outputs / ".hidden" / "20260105-e"):
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
    (outputs / "loop").symlink_to(outputs)
    names = [run.name for run in find_runs([outputs, outputs / "deeper"])]
    assert names == ["20260101-a", "20260102-a", "20260102-b", "20260103-c"]


def test_a_damaged_run_is_not_opened(make_run: MakeRun, tmp_path: Path) -> None:
    writer = make_run("finished")
    assert open_run("last", tmp_path / "outputs").id == writer.id
    (writer.folder / "config.yaml").write_text("a: [")
    with pytest.raises(InputError, match=r"damaged \(config.yaml: "):
        open_run("last", tmp_path / "outputs")
