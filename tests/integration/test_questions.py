"""Questions about pictures from the command line: trained, killed and resumed, asked, reported; what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.integration.conftest import CommandLine, command_line
from tests.integration.server import Server
from tests.integration.test_resume import differences, outcome

pytestmark = pytest.mark.integration

WORDS = (
    "model=vqa_baseline", "data=digit_questions", "model.width=8", "model.code=8", "model.word=6", "model.read=6",
    "model.hidden=8", "batch_size=20", "data.fraction=0.01", "data.parts.picture.image_size=[32,32]", "hardware=cpu",
    "hardware.threads=1",
)  # fmt: skip
KINDS = "what digit, is there, how many, what colour, which digit, what is, is the, are there, are the"


@pytest.fixture(scope="module")
def here(server: Server, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return command_line(server, tmp_path_factory.mktemp("questions"))


@pytest.fixture(scope="module")
def trained(here: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = here("train", *WORDS, "epochs=1")
    assert done.status == 0, done.err
    run = next((tmp_path_factory.getbasetemp()).glob("questions*/outputs/*"))
    assert "kind" in done.out and "questions" in done.out and run.name in done.out
    Image.new("RGB", (40, 40), "red").save(run.parents[1] / "a.png")
    return run


def content(done: Any) -> Any:
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_it_goes_on_to_the_bit(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    words = ("train", *WORDS, "epochs=2", "checkpoint.every_steps=3")
    done = cnnexp(*words)
    assert done.status == 0, done.err
    expected = outcome(only_run())
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*words, kill="batch:16").status == -9
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []


def test_the_record_has_each_kind_and_its_controls(trained: Path, here: CommandLine) -> None:
    summary = json.loads((trained / "summary.json").read_text(encoding="utf-8"))
    assert set(summary["per_kind"]["test/accuracy"]) == set(summary["counts"]["questions"]) == set(KINDS.split(", "))
    rows = list(csv.DictReader((trained / "predictions.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == sum(summary["counts"]["questions"].values())
    for kind, accuracy in summary["per_kind"]["test/accuracy"].items():
        own = [row for row in rows if row["question"].startswith(f"{kind} ")]
        assert accuracy == pytest.approx(sum(row["target"] == row["prediction"] for row in own) / len(own))
    metrics = summary["metrics"]
    assert 0 <= metrics["test/shuffled_accuracy"] <= 1 and metrics["test/guess_accuracy"] <= 0.35
    again = content(here("test", trained.name, "--json"))
    assert again["per_kind"] == summary["per_kind"] and again["counts"] == summary["counts"]
    assert "test/shuffled_accuracy, how many" in here("test", trained.name).out


def test_the_question_alone_owes_nothing_to_pictures(here: CommandLine) -> None:
    done = here("train", *WORDS, "epochs=1", "model.picture=false", "model.question=bag_of_words")
    assert done.status == 0, done.err
    run = next(line.strip() for line in done.out.splitlines() if "outputs/" in line)
    found = content(here("test", Path(run).name, "--json"))
    assert found["metrics"]["test/accuracy"] == pytest.approx(
        found["metrics"]["test/shuffled_accuracy"], abs=1 / 3301
    ), "but for the last question, whose batch has no other picture"


def test_it_is_asked(trained: Path, here: CommandLine) -> None:
    (row,) = content(here("predict", trained.name, "a.png", "--question", "how many 7s", "--json"))
    assert (row["file"], row["question"], row["unknown_words"], len(row["top"])) == ("a.png", "how many 7s", [], 5)
    done = here("predict", trained.name, "a.png", "--question", "what colour is the cat")
    assert done.status == 0 and done.out.splitlines()[0] == "a.png: what colour is the cat"
    assert done.lines[-1].endswith("unknown word cat, which the net cannot tell apart")
    for words, line in {
        ("a.png",): "a.png: the net answers questions about such a file; add --question TEXT",
        ("a.png", "--question", ""): "--question '': holds no word",
        ("a.png", "--question", "purple elephants"): "the net knows none of these words",
        ("b.png", "--question", "how many"): "b.png: there is no such file",
        ("--question", "how many"): "about which picture? name its file too",
        ("a.png", "--question", "how many", "--out", "drawn"): "--out: leave it out beside --question",
    }.items():
        done = here("predict", trained.name, *words)
        assert done.status == 2 and line in done.err and len(done.lines) == 1, done.err


def test_a_page_shows_questions_with_their_pictures(trained: Path, here: CommandLine) -> None:
    done = here("report", trained.name, "--html", "page.html")
    assert done.status == 0, done.err
    page = (trained.parents[1] / "page.html").read_text(encoding="utf-8")
    assert '"per_kind"' in page and "how many" in page and '"mistakes"' in page and "data:image/png;base64" in page


def test_a_table_of_ones_own(cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path) -> None:
    rows = ["picture,question,answer"]
    for number in range(60):
        Image.new("RGB", (12, 12), ("red", "blue")[number % 2]).save(tmp_path / f"{number}.png")
        rows += [f"{number}.png,what colour is it,{('red', 'blue')[number % 2]}"]
        rows += [f"{number}.png,is it red,{('yes', 'no')[number % 2]}"]
    (tmp_path / "asked.csv").write_text("\n".join([*rows, "0.png,,red"]), encoding="utf-8")
    net = [word for word in WORDS if not word.startswith("data")]
    words = ("data=questions_file", "data.file=asked.csv", "data.parts.picture.image_size=[16,16]", "epochs=25")
    done = cnnexp("train", *net, *words, "optimizer.lr=0.01")
    assert done.status == 0, done.err
    assert "121 questions: 120 used, 1 left out (1 without a word)" in done.out, done.out
    metrics = json.loads((only_run() / "summary.json").read_text(encoding="utf-8"))["metrics"]
    assert metrics["test/accuracy"] == 1 and metrics["test/shuffled_accuracy"] < 0.9
    asked = ("--question", "what colour is it", "--question", "is it red")
    answers = content(cnnexp("predict", only_run().name, "0.png", *asked, "--json"))
    assert [one["label"] for one in answers] == ["red", "yes"]


def test_what_is_looked_at_before(here: CommandLine) -> None:
    done = here("preview", "data=digit_questions", "--samples", "2", "--draws", "1")
    assert done.status == 0, done.err
    assert "2 samples of digit_questions" in done.out
    assert len(done.out.splitlines()) == 1 + 2 * 2, "each question, and the numbers of its words"
    assert "vqa_baseline on 3×64×64×16" in here("summary", "model=vqa_baseline", "data=digit_questions").out


def test_what_is_refused(here: CommandLine) -> None:
    for words, line in {
        ("augmentation=flip",): "augmentation=flip: is for pictures, and data=digit_questions holds several",
        ("data.parts.picture.channels=1",): "questions are about colours",
        ("model.stride=3",): "model.stride=3",
        ("task=classification",): "task=classification",
    }.items():
        done = here("train", *WORDS, *words)
        assert done.status == 2 and line in done.err, done.err
    done = here("train", *WORDS[:1], "data=questions_file")
    assert done.status == 2 and "add data.file=FILE.csv" in done.err, done.err
    done = here("train", "model=lenet5", "data=digit_questions")
    assert done.status == 2 and "model=vqa_baseline" in done.err, done.err
