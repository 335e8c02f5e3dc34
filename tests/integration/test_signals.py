"""Signals through the commands that ask a trained net: the same ones as for pictures, less what only pictures have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.made_records import write_ramp
from tests.integration.conftest import CommandLine, Done, command_line
from tests.integration.server import Server

pytestmark = pytest.mark.integration

LENGTH = 40
BEATS = [(3, "+"), *((50 + 90 * number, "V" if number % 5 == 2 else "N") for number in range(60))]
WORDS = (
    "model=ecg_resnet10", "data=wfdb_records", "data.root=record", "data.records=[made]", "data.symbols=[N,V]",
    "data.classes=[usual,rare]", f"data.length={LENGTH}", "data.before_s=0.1", "epochs=1", "hardware=cpu",
    "hardware.threads=1",
)  # fmt: skip
SEQUENCE = ("data.sequence=true", "data.every=4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a record, two files to ask about, and the runs that a test trained before."""
    made = tmp_path_factory.mktemp("signals")
    write_ramp(made / "record", "made", BEATS, length=6000)
    (made / "asked").mkdir()
    for number in range(2):
        rows = [f"{number + sample},{-sample}" for sample in range(LENGTH)]
        (made / "asked" / f"{number}.csv").write_text("\n".join(rows))
    (made / "empty").mkdir()
    return made


@pytest.fixture(scope="module")
def here(server: Server, folder: Path) -> CommandLine:
    return command_line(server, folder)


@pytest.fixture(scope="module")
def runs(here: CommandLine, folder: Path) -> dict[str, str]:
    """Two runs with an answer for each beat, and two with one for every four samples."""
    found: dict[str, str] = {}
    for name, words in (("first", ()), ("second", ("seed=1",)), ("parts", SEQUENCE), ("others", (*SEQUENCE, "seed=1"))):
        done = here("train", *WORDS, *words)
        assert done.status == 0, done.err
        (new,) = {path.name for path in (folder / "outputs").iterdir()} - set(found.values())
        found[name] = new
    return found


def content(done: Done) -> Any:
    assert done.status == 0, done.err
    return json.loads(done.out)


@pytest.mark.parametrize(("one", "other"), [("first", "second"), ("parts", "others")])
def test_an_ensemble_of_signals(one: str, other: str, runs: dict[str, str], here: CommandLine) -> None:
    answer = content(here("ensemble", runs[one], runs[other], "--json"))
    for name, member in zip((one, other), answer["members"], strict=True):
        alone = content(here("test", runs[name], "--json"))["metrics"]
        assert member["metrics"] == pytest.approx(alone, rel=1e-4)
    assert answer["noun"] == "signal"
    assert answer["gain_over_best"]["counted"] == ("signals" if one == "first" else "parts")
    assert f"paired bootstrap over {answer['samples']} signals" == answer["gain_over_best"]["method"]
    said = here("ensemble", runs[one], runs[other]).out
    assert said.startswith(f"2 runs, best weights, on the {answer['samples']} signals of wfdb_records's test split")
    assert "ms/signal" in said and "picture" not in said


@pytest.mark.parametrize("views", ["flip", "ten_crop", "multi_scale"])
@pytest.mark.parametrize("command", ["test", "ensemble"])
def test_views_are_of_pictures(command: str, views: str, runs: dict[str, str], here: CommandLine) -> None:
    named = [runs["first"]] if command == "test" else [runs["first"], runs["second"]]
    done = here(command, *named, f"tta={views}")
    says = f"cnnexp {command}: tta={views}: views are of pictures, and the net takes signals; leave it out"
    assert (done.status, done.lines) == (2, [says])


@pytest.mark.parametrize("name", ["first", "parts"])
def test_files_and_folders_of_signals_are_answered(
    name: str, runs: dict[str, str], here: CommandLine, folder: Path
) -> None:
    rows = content(here("predict", runs[name], "asked", "--json", "--out", f"drawn-{name}"))
    assert [row["file"] for row in rows] == ["asked/0.csv", "asked/1.csv"]
    alone = content(here("predict", runs[name], "asked/0.csv", "--json"))
    assert {key: value for key, value in rows[0].items() if key != "drawn"} == alone[0]
    for row in rows:
        with Image.open(folder / row["drawn"]) as picture:
            assert np.asarray(picture).std() > 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("empty",), ["empty: a folder without signals (.csv, .npy, .txt)"]),
        (("nowhere.csv", "empty"), ["nowhere.csv: there is no such file", "empty: a folder without signals"]),
        (("record/made.hea",), ["record/made.hea: "]),
    ],
)
def test_files_that_hold_no_signal(
    words: tuple[str, ...], says: list[str], runs: dict[str, str], here: CommandLine
) -> None:
    done = here("predict", runs["first"], *words)
    assert done.status == 2
    assert len(done.lines) == len(says)
    assert all(line.startswith(f"cnnexp predict: {said}") for line, said in zip(done.lines, says, strict=True))


@pytest.mark.parametrize("augmentation", ["none", "signals"])
@pytest.mark.parametrize("words", [(), SEQUENCE], ids=["one answer", "a sequence"])
def test_a_preview_of_signals(augmentation: str, words: tuple[str, ...], here: CommandLine, folder: Path) -> None:
    done = here("preview", *WORDS, *words, f"augmentation={augmentation}", "--samples", "3", "--draws", "2")
    assert done.status == 0, done.err
    assert done.out.strip() == "preview.png: 3 signals of wfdb_records, as stored and in 2 epochs"
    with Image.open(folder / "preview.png") as picture:
        assert min(picture.size) > 100
    (folder / "preview.png").unlink()


def test_a_run_of_signals_has_its_report_and_pictures(runs: dict[str, str], here: CommandLine, folder: Path) -> None:
    for name in ("first", "parts"):
        done = here("report", runs[name])
        assert done.status == 0, done.err
        assert (folder / "outputs" / runs[name] / "report.html").stat().st_size > 10_000
        assert (folder / "outputs" / runs[name] / "pictures" / "predictions.png").is_file()
