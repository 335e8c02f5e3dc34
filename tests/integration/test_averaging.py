"""Views, ensembles and previews through the real command line."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.inputs.made_film import film
from tests.integration.conftest import CommandLine, Done, command_line
from tests.integration.refusing import Case, assert_refused, case
from tests.integration.server import Server

pytestmark = pytest.mark.integration

SMALL = ("data.fraction=0.05", "epochs=1", "hardware.threads=1")
TRAINED = {
    "first": ("seed=0",),
    "second": ("seed=1", "regularization.label_smoothing=0.1"),
    "other_net": ("model=resnet20", "model.depth=8", "data.image_size=[20,20]", "data.channels=3"),
    "scenes": (
        "model=unet",
        "data=digit_scenes",
        "model.width=2",
        "model.depth=1",
        "data.image_size=[32,32]",
        "data.fraction=0.02",
    ),
    "boxes": ("model=yolo", "data=digit_scenes", "model.width=4", "data.fraction=0.01"),
    "rebuilt": ("model=conv_autoencoder",),
}


@pytest.fixture(scope="session")
def runs(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of a tiny run by its name above, trained when it is first asked for."""
    made: dict[str, str] = {}

    def folder(name: str) -> str:
        if name not in made:
            place = tmp_path_factory.mktemp(name)
            done = command_line(server, place)("train", *SMALL, *TRAINED[name])
            assert done.status == 0, done.err
            (run,) = (place / "outputs").iterdir()
            made[name] = str(run)
        return made[name]

    return folder


def content(done: Done) -> dict[str, Any]:
    assert done.status == 0, done.err
    assert done.err == ""
    answer = json.loads(done.out)
    assert isinstance(answer, dict)
    return answer


# --- views ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["first", "scenes"])
@pytest.mark.parametrize(("views", "count"), [("flip", 2), ("ten_crop", 10), ("multi_scale", 3)])
def test_a_run_averaged_over_views(
    name: str, views: str, count: int, runs: Callable[[str], str], cnnexp: CommandLine
) -> None:
    plain = content(cnnexp("test", runs(name), "--json"))
    answer = content(cnnexp("test", runs(name), f"tta={views}", "--json"))
    assert answer["id"] == Path(runs(name)).name
    assert answer["metrics"] == pytest.approx(plain["metrics"], rel=1e-4)
    averages = answer["tta"]
    gain, metric = averages["gain"], "test/accuracy" if name == "first" else "test/miou"
    assert (averages["name"], len(averages["views"]), gain["metric"]) == (views, count, metric)
    assert gain["value"] == pytest.approx(averages["metrics"][metric] - answer["metrics"][metric], abs=1e-9)
    assert gain["low"] <= gain["value"] <= gain["high"]
    assert gain["counted"] == ("pictures" if name == "first" else "pixels")
    if name == "first":
        assert gain["value"] == pytest.approx((gain["fixed"] - gain["broken"]) / 500)
    assert averages["cost_in_time"] > 1


def test_boxes_of_views_are_merged_and_films_are_asked(
    runs: Callable[[str], str], cnnexp: CommandLine, work: Path
) -> None:
    answer = content(cnnexp("test", runs("boxes"), "tta=flip", "--json"))
    plain = content(cnnexp("test", runs("boxes"), "--json"))["metrics"]
    averages = answer["tta"]
    assert {name: plain[name] for name in answer["metrics"]} == pytest.approx(answer["metrics"], abs=1e-6)
    assert (averages["method"], averages["gain"]["metric"]) == ("weighted boxes fusion", "test/map_50")
    done = cnnexp("test", runs("boxes"), "tta=flip")
    assert "merged by" in done.out and max(map(len, done.out.splitlines()[1:])) <= 80
    pytest.importorskip("av")
    film(work / "in.mp4")
    done = cnnexp("predict", runs("boxes"), "in.mp4", "tta=flip", "--out", "out.mp4", cwd=work)
    assert done.status == 0 and done.err == "", done.err
    assert done.out.splitlines()[0] == "in.mp4" and "8 frames in" in done.out
    assert (work / "out.mp4").stat().st_size > 1000


def test_a_run_averaged_over_views_for_people(runs: Callable[[str], str], cnnexp: CommandLine) -> None:
    done = cnnexp("test", runs("first"), "tta=flip", "--split", "val")
    assert done.status == 0, done.err
    for words in (
        "best weights, on the val split of mnist5k",
        "val/accuracy",
        "gain in accuracy",
        "95 % interval",
        "×",
    ):
        assert words in done.out
    assert max(map(len, done.out.splitlines())) <= 80


# --- ensembles --------------------------------------------------------------------------------------------------------


def test_an_ensemble_of_different_nets(runs: Callable[[str], str], cnnexp: CommandLine, work: Path) -> None:
    """Each member gets the same pictures at its own size, and scores what ``test`` says of it alone."""
    names = ("first", "second", "other_net")
    folders = [runs(name) for name in names]
    answer = content(cnnexp("ensemble", *folders, "--weights", "2,1,1", "--out", "answers.csv", "--json", cwd=work))
    assert [member["model"] for member in answer["members"]] == ["lenet5", "lenet5", "resnet20"]
    for folder, member in zip(folders, answer["members"], strict=True):
        alone = content(cnnexp("test", folder, "--json"))["metrics"]
        assert member["metrics"]["test/accuracy"] == pytest.approx(alone["test/accuracy"], abs=1e-9)
        assert member["metrics"]["test/loss"] == pytest.approx(alone["test/loss"], rel=1e-3)
    scores = [member["metrics"]["test/accuracy"] for member in answer["members"]]
    together = answer["ensemble"]["metrics"]["test/accuracy"]
    assert answer["gain_over_best"]["value"] == pytest.approx(together - max(scores))
    assert answer["gain_over_best"]["member"] == answer["members"][int(np.argmax(scores))]["id"]
    assert answer["gain_over_mean"]["value"] == pytest.approx(together - np.mean(scores))
    assert answer["ensemble"]["parameters"] == sum(member["parameters"] for member in answer["members"])
    rows = list(csv.DictReader((work / "answers.csv").read_text().splitlines()))
    assert len(rows) == 500
    assert np.mean([row["target"] == row["prediction"] for row in rows]) == pytest.approx(together)


def test_an_ensemble_for_people(runs: Callable[[str], str], cnnexp: CommandLine) -> None:
    done = cnnexp("ensemble", runs("first"), runs("second"), "tta=flip", "--out", "answers.csv")
    assert done.status == 0, done.err
    says = "2 runs, best weights, on the 500 pictures of mnist5k's test split, each averaged over flip"
    assert done.out.splitlines()[0] == says
    for words in ("ensemble", "gain over the best", "gain over their mean", "cost in time", "cost in memory"):
        assert words in done.out
    assert done.out.splitlines()[-1] == "answers.csv"
    assert all(len(line) <= 80 for line in done.out.splitlines()[1:])


def test_an_ensemble_of_maps(runs: Callable[[str], str], cnnexp: CommandLine, tmp_path: Path) -> None:
    """A run and its copy agree everywhere, so together they are what each of them is."""
    copy = tmp_path / "20260101-000000-unet-digit_scenes-abcd"
    subprocess.run(["cp", "-r", runs("scenes"), str(copy)], check=True)
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**record, "id": copy.name}))
    answer = content(cnnexp("ensemble", runs("scenes"), str(copy), "--json"))
    assert answer["metric"] == "test/miou"
    gain = answer["gain_over_best"]
    assert (gain["value"], gain["fixed"], gain["broken"], gain["counted"]) == (0.0, 0, 0, "pixels")
    assert answer["ensemble"]["metrics"] == pytest.approx(answer["members"][0]["metrics"])


# --- previews ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("data=mnist5k augmentation=dihedral", "6 pictures of mnist5k, as stored and in 6 epochs"),
        (
            "data=digit_scenes augmentation=flip --samples 2 --draws 1",
            "2 pictures of digit_scenes, as stored and in one",
        ),
        ("model=conv_autoencoder --draws 2", "6 pictures of mnist5k"),
        ("data=digit_identities --draws 1", "6 pictures of digit_identities"),
        ("data=digit_angle --draws 1", "6 pictures of digit_angle"),
        ("data.image_size=[20,30] augmentation.crop.padding=5", "6 pictures of mnist5k"),
        ("scheduler=cosine,one_cycle epochs=4", "by cosine, one_cycle over 4 epochs of 62 steps of mnist5k"),
        ("scheduler=step --steps-per-epoch 7", "by step over 20 epochs of 7 steps"),
        ("data=mnist5k batch_size=100 --schedule", "by one_cycle over 20 epochs of 40 steps of mnist5k"),
        ("model=unet scheduler=plateau --steps-per-epoch 1", "by plateau over"),
    ],
)
def test_a_preview(words: str, says: str, cnnexp: CommandLine, work: Path) -> None:
    done = cnnexp("preview", *words.split(), cwd=work)
    assert done.status == 0, done.err
    assert done.err == ""
    assert done.out.startswith("preview.png: ") and says in done.out
    assert [path.name for path in work.iterdir()] == ["preview.png"]
    with Image.open(work / "preview.png") as picture:
        assert min(picture.size) > 100 and max(picture.size) < 4000


def test_a_preview_of_ones_own_pictures(cnnexp: CommandLine, work: Path) -> None:
    for label in ("cat", "dog"):
        (work / "pets" / label).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (12, 9), 20 * number).save(work / "pets" / label / f"{number}.png")
    words = ("data=image_folder", "data.root=pets", "data.image_size=[9,12]", "data.channels=1")
    done = cnnexp("preview", *words, "--out", "sheets/pets.png", cwd=work)
    assert done.status == 0, done.err
    assert (work / "sheets" / "pets.png").is_file()


# --- bad input --------------------------------------------------------------------------------------------------------

REFUSED = {
    "no such views": case("test {first} tta=ten_crops", "tta=ten_crops", "did you mean ten_crop?"),
    "a key of other views": case("test {first} tta=flip tta.crop=0.9", "tta.crop=0.9", "tta=ten_crop"),
    "a crop of nothing": case("test {first} tta=ten_crop tta.crop=0", "tta.crop=0", "at least 0.5"),
    "views that see no edges": case("test {scenes} tta=multi_scale tta.scales=[1.5]", "tta.scales", "at most 1"),
    "views of reconstructions": case("test {rebuilt} tta=flip", "tta=flip", "autoencoder", "classification"),
    "another setting": case("test {first} tta=flip epochs=3", "epochs=3", "data=", "tta="),
    "one run": case("ensemble {first}", "two runs at least"),
    "no run": case("ensemble data=mnist5k", "two runs at least"),
    "a run twice": case("ensemble {first} {first}", "given twice", "--weights"),
    "two that are no runs": Case("ensemble {first} nothere neither", (("nothere",), ("neither",))),
    "weights of others": case("ensemble {first} {second} --weights 1", "--weights 1", "1 weights for 2 runs"),
    "weights that are no numbers": case("ensemble {first} {second} --weights a,b", "--weights a,b", "2,1,1"),
    "a weight of nothing": case("ensemble {first} {second} --weights 1,0", "--weights 1,0", "above 0"),
    "two tasks": case("ensemble {first} {scenes}", "segmentation", "classification", "one task"),
    "an ensemble of boxes": case("ensemble {boxes} {first}", "detection", "probabilities of classes"),
    "a folder for answers": case("ensemble {first} {second} --out .", "--out .", "folder", "answers.csv"),
    "a picture of another kind": case("preview --out a.jpg", "--out a.jpg", "PNG", "a.png"),
    "a folder for a picture": case("preview --out .", "--out .", "folder", "picture.png"),
    "no pictures": case("preview --samples 0", "--samples 0", "at least 1"),
    "too many epochs": case("preview --draws 65", "--draws 65", "at most 64"),
    "no such augmentation": case("preview augmentation=flipp", "augmentation=flipp", "flip"),
    "no such schedule": case("preview scheduler=cosine,stepp", "scheduler=stepp", "step"),
    "a net that does not suit": case("preview model=lenet5 data=digit_scenes", "model=lenet5", "needs data with label"),
}


@pytest.mark.parametrize("one", REFUSED.values(), ids=REFUSED.keys())
def test_refused(one: Case, runs: Callable[[str], str], here: CommandLine, work: Path) -> None:
    argv = [word.format_map(_Lazily(runs)) for word in one.argv]
    assert_refused(lambda: here(*argv, cwd=work), argv[0], one.lines, work)


class _Lazily(dict[str, str]):
    """Trains only what a case names."""

    def __init__(self, runs: Callable[[str], str]) -> None:
        super().__init__()
        self.runs = runs

    def __missing__(self, key: str) -> str:
        return self.runs(key)


def test_other_classes_are_named(runs: Callable[[str], str], cnnexp: CommandLine, work: Path, tmp_path: Path) -> None:
    other = tmp_path / "20260101-000000-lenet5-mnist5k-abcd"
    subprocess.run(["cp", "-r", runs("first"), str(other)], check=True)
    text = (other / "config.yaml").read_text()
    for change, says in ((("- '3'", "- three"), ("knows three",)), (("  - '9'\n", ""), ("does not know 9",))):
        (other / "config.yaml").write_text(text.replace(*change))
        lines = [(other.name, *says, "same classes")]
        assert_refused(lambda: cnnexp("ensemble", runs("first"), str(other), cwd=work), "ensemble", lines, work)
