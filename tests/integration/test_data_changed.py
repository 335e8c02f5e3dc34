"""A run's data changes behind its back: it goes on with its own samples, or says what became of them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.data.tiny import write_class_folders, write_picture
from tests.integration.conftest import CommandLine, command_line

pytestmark = pytest.mark.integration

SMALL = ("model=linear", "data=image_folder", "data.image_size=[8,8]", "batch_size=8", "hardware.threads=1")


@pytest.fixture(scope="module")
def project(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``d`` with forty pictures, and two runs on it: one that finished, and one that stopped in its first epoch."""
    folder = tmp_path_factory.mktemp("project")
    write_class_folders(folder / "d", 20)
    for number, path in enumerate(sorted((folder / "d").rglob("*.png"))):
        colour = (number * 5, 20, 20) if path.parent.name == "cat" else (20, number * 5, 20)
        write_picture(path, colour, (9, 10 + number % 7))
    call = command_line(server, folder)
    for words in (["epochs=1"], ["epochs=2", "max_steps=2"]):
        done = call("train", *SMALL, "data.root=d", *words)
        assert done.status == 0, done.err
    return folder


@pytest.fixture
def own(project: Path, tmp_path: Path) -> Path:
    """A copy of the project that a test may change, whose runs know no other place."""
    shutil.copytree(project, tmp_path / "p")
    for path in (tmp_path / "p" / "outputs").glob("*/data.json"):
        path.write_text(path.read_text().replace(str(project), str(tmp_path / "p")))
    return tmp_path / "p"


def runs(folder: Path) -> list[str]:
    """Names of the runs, the oldest first; names alone do not tell the order of two of the same second."""
    files = [json.loads(path.read_text()) for path in (folder / "outputs").glob("*/run.json")]
    return [file["id"] for file in sorted(files, key=lambda file: str(file["created"]))]


def finished(folder: Path) -> str:
    return runs(folder)[0]


def stopped(folder: Path) -> str:
    return runs(folder)[1]


def record(folder: Path, run: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "outputs" / run / "data.json").read_text())
    return content


def predicted(folder: Path, run: str) -> list[str]:
    with (folder / "outputs" / run / "predictions.csv").open() as file:
        return [row["file"] for row in csv.DictReader(file)]


def add(folder: Path, count: int = 12) -> None:
    for number in range(count):
        write_picture(folder / "d" / ("cat" if number % 2 else "dog") / f"a{number}.png", (9, 9, number))


def test_a_run_writes_down_which_samples_it_stands_on(project: Path) -> None:
    content = record(project, finished(project))
    names = {split: one["names"] for split, one in content["splits"].items()}
    assert {split: len(own) for split, own in names.items()} == {"train": 32, "val": 4, "test": 4}
    assert sorted(names["test"]) == sorted(predicted(project, finished(project)))
    assert content["splits"]["test"]["truths"] == [int(name.startswith("dog")) for name in names["test"]]
    assert content["places"]["root"]["absolute"] == str(project / "d")
    run = json.loads((project / "outputs" / finished(project) / "run.json").read_text())
    assert run["data"]["fingerprint"] == content["fingerprint"]
    assert content["fingerprint"] == record(project, stopped(project))["fingerprint"], "the same data"


def test_added_pictures_take_no_part_when_a_run_goes_on(own: Path, here: CommandLine) -> None:
    run, before = stopped(own), record(own, stopped(own))
    add(own)
    write_picture(own / "d" / "bird" / "new.png")
    done = here("resume", run, "max_steps=null", cwd=own)
    assert done.status == 0, done.err
    assert "13 pictures were added since; the run goes on with its own 40" in done.out
    assert "13 pictures were added" in (own / "outputs" / run / "log.txt").read_text()
    assert "53 pictures: 40 used, 13 left out (13 added since)" in done.out
    assert sorted(predicted(own, run)) == sorted(before["splits"]["test"]["names"])
    assert record(own, run)["splits"] == before["splits"]


def test_a_resumed_run_ends_as_it_would_without_added_pictures(own: Path, tmp_path: Path, here: CommandLine) -> None:
    shutil.copytree(own, tmp_path / "other")
    add(own)
    metrics = []
    for folder in (own, tmp_path / "other"):
        assert here("resume", stopped(own), "max_steps=null", cwd=folder).status == 0
        metrics.append(json.loads((folder / "outputs" / stopped(own) / "summary.json").read_text())["metrics"])
    assert metrics[0] == metrics[1]


def remove(folder: Path) -> str:
    (folder / "d" / "cat" / "cat007.png").unlink()
    return "1 removed (cat/cat007.png)"


def paint(folder: Path) -> str:
    path = folder / "d" / "cat" / "cat007.png"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1  # as large as before
    path.write_bytes(content)
    return "1 changed (cat/cat007.png)"


def relabel(folder: Path) -> str:
    (folder / "d" / "cat" / "cat007.png").rename(folder / "d" / "dog" / "x.png")
    return "1 relabelled (cat/cat007.png, now dog/x.png)"


@pytest.mark.parametrize("change", [remove, paint, relabel])
def test_a_run_does_not_go_on_with_other_pictures_than_its_own(change: Any, own: Path, here: CommandLine) -> None:
    run, said = stopped(own), change(own)
    done = here("resume", run, "max_steps=null", cwd=own)
    assert done.status == 2 and len(done.lines) == 1
    assert f"{run}: the data is not what it was trained on: {said}; bring it back, or begin" in done.lines[0]
    assert f"cnnexp train model=linear data=image_folder data.root=d model.weights=run:{run}" in done.lines[0]
    again = here("reproduce", finished(own), cwd=own)
    assert again.status == 2 and said in again.lines[-1] and "train --frozen" in again.lines[-1]
    assert len(runs(own)) == 2, "nothing was made"


def test_a_test_keeps_to_the_pictures_that_were_not_trained_on(own: Path, here: CommandLine) -> None:
    run = finished(own)
    before = json.loads(here("test", run, "--json", cwd=own).out)["metrics"]
    add(own)
    done = here("test", run, "--json", cwd=own)
    assert json.loads(done.out)["metrics"] == before
    assert f"12 pictures were added since; {run} keeps to its own 40" in done.err
    (own / "d" / predicted(own, run)[0]).unlink()
    done = here("test", run, cwd=own)
    assert done.status == 2 and "1 removed" in done.lines[-1]
    assert done.lines[-1].endswith("or test on the data as it is now: data=image_folder data.root=d")
    done = here("test", run, "data=image_folder", "data.root=d", "--split", "val", cwd=own)
    assert done.status == 0 and "was trained on" in done.err


def test_diff_and_compare_tell_that_the_data_differs_though_the_settings_do_not(own: Path, here: CommandLine) -> None:
    for number in range(3):
        cat, dog = (own / "d" / name / f"{name}00{number}.png" for name in ("cat", "dog"))
        cat.rename(own / "x")
        dog.rename(cat)
        (own / "x").rename(dog)
    assert here("train", *SMALL, "data.root=d", "epochs=1", cwd=own).status == 0
    one, other = finished(own), runs(own)[2]
    done = here("diff", one, other, "--json", cwd=own)
    assert json.loads(done.out)["data"] == {
        "labels changed": {
            "a": "6 (cat/cat000.png: cat, cat/cat001.png: cat, cat/cat002.png: cat, …)",
            "b": "6 (dog/dog000.png: dog, dog/dog001.png: dog, dog/dog002.png: dog, …)",
        }
    }
    assert "data" not in next(line for line in here("diff", one, other, cwd=own).out.splitlines() if "no diff" in line)
    said = here("compare", cwd=own).err
    named = min(one, stopped(own))  # of two with the same data the first by name
    assert f"runs stand on different data, though all have data=image_folder: {named} and 1 more; {other}" in said


def test_the_same_data_in_another_folder_is_the_same(own: Path, here: CommandLine) -> None:
    shutil.copytree(own / "d", own / "elsewhere")
    assert here("train", *SMALL, "data.root=elsewhere", "epochs=1", cwd=own).status == 0
    done = here("diff", finished(own), runs(own)[2], cwd=own)
    assert "data" in next(line for line in done.out.splitlines() if line.startswith("no difference in"))
    assert "different data" not in here("compare", cwd=own).err


def test_a_run_of_an_earlier_version_goes_on_and_diff_says_what_is_not_known(own: Path, here: CommandLine) -> None:
    (own / "outputs" / stopped(own) / "data.json").unlink()
    done = here("diff", finished(own), stopped(own), cwd=own)
    assert f"which samples it was, {stopped(own)} did not record" in " ".join(done.out.split())
    assert "settings of data" in done.out
    assert here("resume", stopped(own), "max_steps=null", cwd=own).status == 0
    assert record(own, stopped(own))["samples"] == 40, "recorded from now on"


def test_data_is_found_from_another_folder_and_with_the_run_that_it_was_moved_with(
    own: Path, tmp_path: Path, here: CommandLine
) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    assert here("test", str(own / "outputs" / finished(own)), cwd=place).status == 0
    own.rename(tmp_path / "moved")
    run = tmp_path / "moved" / "outputs" / stopped(tmp_path / "moved")
    done = here("resume", str(run), "max_steps=null", cwd=place)
    assert done.status == 0, done.err
    assert f"data.root=d is {tmp_path / 'moved' / 'd'}; when the run began it was {own / 'd'}" in done.out


def test_a_new_place_is_taken_checked_and_remembered(own: Path, here: CommandLine) -> None:
    run, whole = stopped(own), finished(own)
    (own / "d").rename(own / "there")
    done = here("resume", run, "max_steps=null", cwd=own)
    assert done.status == 2 and done.lines[-1].endswith("say where the data is now: data.root=FOLDER")
    write_class_folders(own / "other", 12)
    assert "removed" in here("resume", run, "data.root=other", "max_steps=null", cwd=own).lines[-1]
    assert here("resume", run, "data.root=there", "max_steps=null", cwd=own).status == 0
    assert yaml.safe_load((own / "outputs" / run / "config.yaml").read_text())["data"]["root"] == "there"
    assert record(own, run)["places"]["root"]["absolute"] == str(own / "there")
    assert here("test", whole, "data.root=there", cwd=own).status == 0
    done = here("resume", whole, "data.root=there", cwd=own)
    assert done.status == 0 and f"its data.root is {own / 'there'} from now on" in done.out
    assert here("test", whole, cwd=own / "outputs", CNNEXP_OUTPUTS_DIR=str(own / "outputs")).status == 0


def test_runs_on_other_samples_make_no_ensemble_on_their_own_data(own: Path, here: CommandLine) -> None:
    add(own)
    assert here("train", *SMALL, "data.root=d", "epochs=1", cwd=own).status == 0
    done = here("ensemble", finished(own), runs(own)[2], cwd=own)
    assert done.status == 2 and "stands on other pictures than" in done.lines[-1]
