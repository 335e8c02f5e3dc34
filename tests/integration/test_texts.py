"""Texts through the command line: trained, asked, looked into, begun with vectors; and what does not fit, refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.integration.conftest import CommandLine, Done, command_line
from tests.integration.server import Server
from tests.integration.test_resume import differences, outcome

pytestmark = pytest.mark.integration

WORDS = (
    "data=text_folder", "data.root=texts", "batch_size=8", "hardware=cpu", "hardware.threads=1", "model.windows=[2,3]",
    "model.width=6", "model.maps=4", "model=kim_cnn",
)  # fmt: skip
OWN = {"dull": ["grey", "slow", "long"], "bright": ["swift", "rich", "warm"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("texts")
    generator = np.random.default_rng(0)
    for label, own in OWN.items():
        (made / "texts" / label).mkdir(parents=True)
        for number in range(60):
            around = generator.choice(["the", "a", "film", "of", "it", "is"], generator.integers(0, 7)).tolist()
            around.insert(int(generator.integers(0, len(around) + 1)), own[number % 3])
            (made / "texts" / label / f"{number}.txt").write_text(" ".join(around), encoding="utf-8")
    (made / "texts" / "dull" / "empty.txt").write_text("", encoding="utf-8")
    (made / "asked.txt").write_text("a swift film\n", encoding="utf-8")
    (made / "lines.txt").write_text("a slow film\n\nSwift!\n", encoding="utf-8")
    rows = [f"it is {one},{label}" for label, own in OWN.items() for one in own * 7]
    (made / "table.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    (made / "v.txt").write_text("swift 1 1 1 1 1 1\nunheard 2 2 2 2 2 2\n", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def here(server: Server, folder: Path) -> CommandLine:
    return command_line(server, folder)


@pytest.fixture(scope="module")
def trained(here: CommandLine, folder: Path) -> str:
    done = here("train", *WORDS, "epochs=25", "optimizer.lr=0.01")
    assert done.status == 0, done.err
    assert "121 texts: 120 used, 1 left out (1 without a word)" in done.out
    assert "12 words have numbers" in done.out and "of the test 0.0% are unknown" in done.out
    return next((folder / "outputs").iterdir()).name


def content(done: Done) -> Any:
    assert done.status == 0, done.err
    return json.loads(done.out)


def weights(run: Path) -> dict[str, torch.Tensor]:
    kept = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return dict(kept["state_dict"])


def test_it_learns_and_answers_texts(trained: str, here: CommandLine, folder: Path) -> None:
    assert content(here("test", trained, "--json"))["metrics"]["test/accuracy"] == 1.0
    answers = content(here("predict", trained, "--text", "a swift film", "--text", "GREY!", "--json"))
    assert [(one["asked"], one["label"]) for one in answers] == [("a swift film", "bright"), ("GREY!", "dull")]
    (of_file,) = content(here("predict", trained, "asked.txt", "--json"))
    assert of_file["top"] == answers[0]["top"]
    lines = here("predict", trained, "--lines", "lines.txt").out.splitlines()
    assert lines[0] == "a slow film" and lines[1].split()[0] == "dull" and lines[3] == "Swift!"


def test_the_head_alone_is_held_and_padding_stays_zero(trained: str, folder: Path) -> None:
    state = weights(folder / "outputs" / trained)
    assert not state["net.embedding.weight"][0].any()
    assert float(state["net.linear.weight"].norm(dim=1).max()) <= 3.0001


def test_what_fires_a_filter_and_what_lies_near(trained: str, here: CommandLine, folder: Path) -> None:
    found = content(here("visualize", "words", trained, "--json", "--near", "swift", "--filters", "2"))
    assert {one["window"] for one in found["filters"]} == {2, 3}
    for one in found["filters"]:
        if one["weight"] > 0.1:
            assert any(word in one["grams"][0]["words"] for word in OWN[one["class"]])
    assert {one["word"] for one in found["near"]["swift"][:3]} & {"rich", "warm"}, "they stand in the same places"
    assert (folder / found["written"][0]).is_file()
    assert here("visualize", "words", trained, "--near", "unheard").status == 2


def test_a_page_holds_the_texts_that_were_mistaken(here: CommandLine, folder: Path) -> None:
    done = here("train", *WORDS, "max_steps=1", "optimizer.lr=1e-9")
    assert done.status == 0, done.err
    assert "texts/s" in done.out
    run = next(one for one in (folder / "outputs").iterdir() if one.name in done.out)
    done = here("report", run.name, "--html", "page.html")
    assert done.status == 0, done.err
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "test texts are wrong" in page and '"written": "' in page.replace('":"', '": "')


def test_texts_are_previewed_in_words(here: CommandLine) -> None:
    done = here("preview", "data=text_folder", "data.root=texts", "data.at_least=32", "--samples", "1", "--draws", "1")
    assert done.status == 0, done.err
    assert "1 texts of text_folder" in done.out and "□ 1" in done.out.splitlines()[-1]


def test_a_table_and_vectors_of_a_file_and_of_a_run(trained: str, here: CommandLine, folder: Path) -> None:
    words = [one for one in WORDS if not one.startswith(("data", "model="))]
    for vectors, line in (("v.txt", "vectors of v.txt: 1 of 8 words"), (f"run:{trained}", "8 of 8 words found")):
        done = here(
            "train", *words, "model=kim_cnn", "data=text_csv", "data.file=table.csv", "epochs=1",
            f"model.vectors={vectors}", "model.channels=static", cwd=folder,
        )  # fmt: skip
        assert done.status == 0, done.err
        assert line in done.out
    newest = next(one for one in (folder / "outputs").iterdir() if one.name in done.out and one.name != trained)
    own, theirs = (
        json.loads((run / "input.json").read_text(encoding="utf-8"))["words"]
        for run in (newest, folder / "outputs" / trained)
    )
    now = weights(newest)["net.embedding.weight"]
    best = torch.load(folder / "outputs" / trained / "checkpoints" / "best.ckpt", weights_only=True)
    before = best["net"]["embedding.weight"]
    for word in own:
        assert torch.equal(now[2 + own.index(word)], before[2 + theirs.index(word)]), word


@pytest.mark.parametrize(
    "words",
    [(), ("model.vectors=cooccurrence", "model.contexts=8"), ("model.classifier=knn", "model.neighbours=3")],
    ids=["linear", "cooccurrence", "knn"],
)
def test_a_bag_of_words_learns_the_same(words: tuple[str, ...], here: CommandLine, folder: Path) -> None:
    done = here("train", "model=bag_of_words", *WORDS[:5], "epochs=10", "optimizer.lr=0.1", *words)
    assert done.status == 0, done.err
    run = next(one for one in (folder / "outputs").iterdir() if one.name in done.out)
    tested = json.loads((run / "summary.json").read_text(encoding="utf-8"))["metrics"]["test/accuracy"]
    assert content(here("test", run.name, "--json"))["metrics"]["test/accuracy"] == tested
    (answer,) = content(here("predict", run.name, "--text", "a swift film", "--json"))
    if "model.vectors=cooccurrence" not in words:  # here all words stand near the same ones
        assert tested >= 0.9 and answer["label"] == "bright"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("train", "model=lenet5", "data=text_folder", "data.root=texts"), ("lenet5", "pictures")),
        (("train", "model=kim_cnn", "data=mnist5k"), ("kim_cnn", "tokens")),
        (("train", *WORDS, "model.vectors=v.txt", "model.width=5"), ("v.txt: vectors of 6 numbers", "model.width=6")),
        (("train", *WORDS, "model.vectors=none.txt"), ("none.txt: no such file",)),
        (("train", *WORDS, "data.padding=longer"), ("data.padding", "longest")),
        (("train", *WORDS, "model.channels=all"), ("model.channels=all",)),
        (("train", "model=kim_cnn", "data=text_folder", "data.root=outputs/none"), ("no such folder",)),
        (("predict", "RUN", "--text", "!!"), ("'!!': holds no word",)),
        (("predict", "RUN", "asked.txt", "--text", "film"), ("asked.txt: a file beside --text",)),
        (("predict", "RUN", "--text", "film", "--out", "drawn"), ("--out: is for files",)),
        (("predict", "RUN", "--lines", "none.txt"), ("none.txt: there is no such file",)),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(
    words: tuple[str, ...], parts: tuple[str, ...], trained: str, here: CommandLine
) -> None:
    done = here(*(trained if word == "RUN" else word for word in words))
    assert done.status == 2, done.out
    (line,) = done.err.splitlines()
    for part in parts:
        assert part in line


def test_another_encoding_is_refused_with_the_file_and_the_line(here: CommandLine, folder: Path) -> None:
    for label in OWN:
        (folder / "western" / label).mkdir(parents=True)
        (folder / "western" / label / "one.txt").write_bytes("un film\nun été\n".encode("latin-1"))
    done = here("train", "model=kim_cnn", "data=text_folder", "data.root=western")
    assert done.status == 2 and "one.txt:2: not utf-8 (byte 0xe9); data.encoding=latin-1" in done.err


def test_what_can_be_looked_at_of_texts(trained: str, here: CommandLine) -> None:
    found = content(here("visualize", "neighbours", trained, "--samples", "20", "--json"))
    assert found["size"]["words"] == 14 and set(found["same_class"]) == {"words", "features", "chance"}
    done = here("visualize", "filters", trained)
    assert done.status == 2 and "cnnexp visualize words tells what fires them" in done.err


def test_killed_and_resumed_it_is_the_same_to_the_bit(
    folder: Path, cnnexp: CommandLine, only_run: Callable[[], Path], tmp_path: Path
) -> None:
    words = (
        "train", *[word for word in WORDS if not word.startswith("data.root")], f"data.root={folder / 'texts'}",
        "epochs=2", "sampling=like_lengths", "sampling.batches_sorted=2", "augmentation=texts",
        "augmentation.unknown=0.1", "augmentation.left_out=0.1", "augmentation.swapped=0.1", "checkpoint.every_steps=3",
    )  # fmt: skip
    done = cnnexp(*words)
    assert done.status == 0, done.err
    expected = outcome(only_run())
    (tmp_path / "outputs").rename(tmp_path / "whole")
    assert cnnexp(*words, kill="batch:7").status == -9
    done = cnnexp("resume", only_run().name)
    assert done.status == 0, done.err
    assert differences(expected, outcome(only_run())) == []
