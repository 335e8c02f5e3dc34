"""Embeddings through the command line: trained, killed and resumed, tested on others, enrolled and matched; refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnexp.data.mnist5k import digits_of
from tests.integration.conftest import CommandLine, Done, command_line
from tests.integration.server import Server
from tests.integration.test_resume import differences, outcome

pytestmark = pytest.mark.integration

TINY = ("model=lenet5", "task=metric", "task.embedding=8", "hardware.threads=1", "hardware=cpu")
DIGITS = (*TINY, "data=digit_identities", "data.fraction=0.2")
PEOPLE = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits as people, ten pictures of each, and galleries with mistakes."""
    made = tmp_path_factory.mktemp("faces")
    pictures, labels, _ = digits_of("train")
    for name, digit in PEOPLE.items():
        for number, place in enumerate(np.flatnonzero(labels == digit)[:10]):
            (made / "people" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[place]).save(made / "people" / name / f"{number}.png")
    for name in ("zero", "one"):
        (made / "two" / name).mkdir(parents=True)
        (made / "two" / name / "only.png").write_bytes((made / "people" / name / "3.png").read_bytes())
    (made / "nobody").mkdir()
    (made / "empty" / "zero").mkdir(parents=True)
    (made / "broken" / "zero").mkdir(parents=True)
    (made / "broken" / "zero" / "x.png").write_bytes(b"no picture")
    return made


@pytest.fixture(scope="module")
def here(server: Server, folder: Path) -> CommandLine:
    return command_line(server, folder)


@pytest.fixture(scope="module")
def trained(here: CommandLine, folder: Path) -> str:
    """A run of a few epochs that knows some digits from others."""
    done = here("train", *DIGITS, "epochs=4", "loss.mining=all")
    assert done.status == 0, done.err
    assert "never trained on 3, trained on 0" in done.out
    return next((folder / "outputs").iterdir()).name


def content(done: Done) -> Any:
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_the_record_has_pairs_beside_pixels(trained: str, here: CommandLine, folder: Path) -> None:
    run = folder / "outputs" / trained
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    metrics = summary["metrics"]
    assert metrics["val/auc"] > 0.8, "it has learnt something"
    assert 0.6 < metrics["test/pixels_auc"] < 0.75 and 0 < metrics["test/equal_error"] < 0.5
    assert summary["counts"]["pairs"] == {"of one identity": 374_250, "of two": 750_000}
    assert metrics["test/threshold"] == metrics["val/threshold"]
    assert "val/loss" not in metrics and summary["verdict"] is None
    assert {"roc.png", "mistaken_pairs.png", "embeddings.png"} <= {path.name for path in (run / "pictures").iterdir()}
    learnt = json.loads((run / "input.json").read_text(encoding="utf-8"))
    assert learnt == {"targets": {"identity": {"trained": list("0123456")}}}
    rows = list(csv.DictReader((run / "predictions.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 1500 and {row["target"] for row in rows} == set("789")
    assert np.load(run / "predictions.npz")["embedding"].shape == (1500, 8)


def test_it_is_tested_again_and_on_other_people(trained: str, here: CommandLine, folder: Path) -> None:
    run = folder / "outputs" / trained
    kept = json.loads((run / "summary.json").read_text(encoding="utf-8"))["metrics"]
    again = content(here("test", trained, "--json"))["metrics"]
    for name, value in again.items():
        assert value == pytest.approx(kept[name], abs=1e-6), name
    words = ("data=face_folder", "data.root=people", "data.channels=1", "data.mean=[0.5]", "data.std=[0.5]")
    other = content(here("test", trained, *words, "--json"))
    assert other["metrics"]["test/threshold"] == kept["test/threshold"]
    assert other["counts"]["pairs"] == {"of one identity": 2 * 45, "of two": 100}


def test_two_pictures_are_compared(trained: str, here: CommandLine) -> None:
    same = content(here("match", trained, "people/one/0.png", "people/one/0.png", "--json"))
    assert same["similarity"] == pytest.approx(1, abs=1e-5) and same["same"] is True
    assert 0 <= same["false_accepts"] <= 1 and 0 <= same["false_rejects"] <= 1
    found = content(here("match", trained, "people/zero/0.png", "people/one/0.png", "--json"))
    assert found["same"] is (found["similarity"] >= found["threshold"])
    done = here("match", trained, "people/zero/0.png", "people/one/0.png")
    lines = done.out.splitlines()
    assert max(map(len, lines)) < 80
    assert lines[1].split(":")[0].strip() in ("the same", "different") and "in the validation" in lines[2]


def test_who_is_enrolled_is_found_and_others_are_nobody(trained: str, here: CommandLine, folder: Path) -> None:
    assert here("enrol", trained, "people").status == 0
    assert (folder / "outputs" / trained / "gallery.safetensors").is_file()
    found = content(here("match", trained, "people/four/2.png", "--json"))
    assert (found["person"], found["nearest"][0]["picture"]) == ("four", "four/2.png")
    assert found["enrolled"] == {"people": 7, "pictures": 70}
    chance = 1 - (1 - found["false_accepts"]) ** 70
    assert found["stranger_taken_for_somebody"] == pytest.approx(chance, abs=1e-4)
    done = here("enrol", trained, "two", "--save", "two.safetensors")
    assert done.status == 0 and "2 pictures of 2 people" in done.out and "of one picture: one, zero" in done.out
    unlike = min(
        (
            content(here("match", trained, f"people/{name}/1.png", "--gallery", "two.safetensors", "--json"))
            for name in PEOPLE
        ),
        key=lambda row: row["nearest"][0]["similarity"],
    )
    assert unlike["person"] is None, "the most unlike of seven is below the threshold"
    done = here("match", trained, unlike["file"], "--gallery", "two.safetensors")
    assert (
        "nobody enrolled; the most similar is" in done.out and "a stranger is taken for one of 2 pictures" in done.out
    )


def test_a_picture_is_answered_by_its_direction(trained: str, here: CommandLine) -> None:
    (row,) = content(here("predict", trained, "people/one/0.png", "--json"))
    assert len(row["embedding"]) == 8 and np.linalg.norm(row["embedding"]) == pytest.approx(1, abs=1e-4)


def test_a_page_shows_the_curve_and_the_pairs(trained: str, here: CommandLine, folder: Path) -> None:
    assert here("report", trained, "--html", "page.html").status == 0
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "ROC curve of pairs" in page and "pairs of two identities taken for one" in page


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["match", "RUN", "people/one/0.png", "none.png"], ["none.png: there is no such file"]),
        (["match", "RUN", "people", "people"], ["people: a folder"]),
        (["match", "RUN", *["people/one/0.png"] * 3], ["3 files: give two to be compared, or one"]),
        (["match", "RUN", "broken/zero/x.png", "people/one/0.png"], ["broken/zero/x.png"]),
        (["match", "RUN", *["people/one/0.png"] * 2, "--gallery", "x"], ["--gallery: is for one picture"]),
        (
            ["match", "RUN", "people/one/0.png", "--gallery", "none.safetensors"],
            ["there is no such gallery; cnnexp enrol"],
        ),
        (["match", "RUN", "people/one/0.png", "--gallery", "people/one/0.png"], ["not a gallery that can be read"]),
        (["enrol", "RUN", "none"], ["none: there is no such folder"]),
        (["enrol", "RUN", "nobody"], ["nobody: nobody to enrol; expected a folder for each person"]),
        (["enrol", "RUN", "empty"], ["empty/zero: no picture in it"]),
        (["enrol", "RUN", "broken"], ["broken/zero/x.png"]),
        (
            ["enrol", "RUN", "people", "--save", "people.json"],
            ["--save people.json: a gallery is a file; name it people.safetensors"],
        ),
        (["enrol", "RUN", "people", "--save", "none/g.safetensors"], ["none/g.safetensors: cannot be written"]),
    ],
)
def test_what_cannot_be_matched_is_one_line(
    words: list[str], parts: list[str], trained: str, here: CommandLine
) -> None:
    done = here(*(trained if word == "RUN" else word for word in words))
    assert done.status == 2, done.out
    (line,) = done.err.splitlines()
    assert all(part in line for part in parts), line


def test_a_gallery_of_other_weights_is_refused(trained: str, here: CommandLine, folder: Path) -> None:
    assert here("enrol", trained, "two", "--save", "other.safetensors").status == 0
    done = here("train", *DIGITS, "epochs=1", "seed=1", "outputs=others")
    assert done.status == 0, done.err
    other = next((folder / "others").iterdir()).name
    for words, part in (
        (["--gallery", "other.safetensors"], f"a gallery of other weights, those of {trained}"),
        ([], "nobody is enrolled; cnnexp enrol"),
    ):
        done = here("match", other, "people/one/0.png", *words, "--outputs", "others")
        assert done.status == 2 and part in done.err and len(done.err.splitlines()) == 1


def test_a_run_of_another_task_is_refused(here: CommandLine, folder: Path) -> None:
    done = here("train", "model=lenet5", "data.fraction=0.05", "max_steps=2", "outputs=classes", "hardware.threads=1")
    assert done.status == 0, done.err
    done = here("match", "last", "people/one/0.png", "people/one/1.png", "--outputs", "classes")
    assert done.status == 2 and "its task is classification, whose net answers no embeddings" in done.err


def test_folders_of_people_are_trained_on(cnnexp: CommandLine, only_run: Callable[[], Path], folder: Path) -> None:
    words = (
        "data=face_folder",
        f"data.root={folder / 'people'}",
        "data.image_size=[28,28]",
        "batch_size=8",
        "epochs=1",
    )
    done = cnnexp("train", *TINY, *words, "model=resnet20")
    assert done.status == 0, done.err
    summary = json.loads((only_run() / "summary.json").read_text(encoding="utf-8"))
    assert summary["counts"]["identities of the test"] == {"never trained on": 2, "trained on": 0}
    tests = set()
    for fold in ("0", "1", "2"):
        only_run().rename(only_run().parents[1] / f"kept{fold}")
        done = cnnexp("train", *TINY, *words, "max_steps=1", "data.split.folds=3", f"data.split.fold={fold}")
        assert done.status == 0, done.err
        rows = csv.DictReader((only_run() / "predictions.csv").read_text(encoding="utf-8").splitlines())
        people = {row["target"] for row in rows}
        assert len(people) in (2, 3) and not people & tests, "everybody is tested once, and whole"
        tests |= people
    assert tests == set(PEOPLE)


def test_what_makes_no_training_is_refused(here: CommandLine) -> None:
    for words, part in (
        ([*TINY[:1], "data=digit_identities"], "or this net with task=metric"),
        ([*DIGITS, "accumulate=2"], "compares the samples of a batch with each other"),
        ([*DIGITS, "loss=cross_entropy"], "is of label, and task=metric learns identity"),
        ([*TINY, "data=mnist5k"], "needs data with identity, such as data=digit_identities"),
        ([*DIGITS, "augmentation=mix"], "mixes class labels"),
        ([*DIGITS, "loss=triplet", "loss.mining=soft"], "loss.mining=soft: expected one of"),
        ([*DIGITS, "batch_size=60"], "not made of whole classes"),
        ([*DIGITS, "task.embedding=1"], "task.embedding=1"),
        ([*DIGITS, "task.false_accepts=1.5"], "task.false_accepts=1.5"),
    ):
        done = here("train", *words, "outputs=none")
        assert done.status == 2, done.out
        assert part in done.err, done.err


@pytest.mark.parametrize("loss", ["arcface", "triplet"])
def test_killed_and_resumed_it_is_the_same_to_the_bit(
    loss: str, cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path
) -> None:
    """With the directions of ArcFace, which learn, and the threshold of the validation."""
    words = ("train", *DIGITS, "epochs=3", f"loss={loss}", "checkpoint.every_steps=4", "regularization.ema_decay=0.9")
    done = cnnexp(*words)
    assert done.status == 0, done.err
    expected, best = outcome(only_run()), kept_best(only_run())
    assert best["decided"]["found"].isfinite().all() and ("directions" in best["loss"]) is (loss == "arcface")
    (tmp_path / "outputs").rename(tmp_path / "whole")
    for kill in ("batch:6", "batch:17"):
        assert cnnexp(*words, kill=kill).status == -9
        done = cnnexp("resume", only_run().name)
        assert done.status == 0, done.err
        assert differences(expected, outcome(only_run())) == []
        assert differences(best, kept_best(only_run())) == []
        only_run().rename(tmp_path / kill.replace(":", ""))


def kept_best(run: Path) -> dict[str, Any]:
    kept = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    return {name: kept[name] for name in ("net", "loss", "decided")}
