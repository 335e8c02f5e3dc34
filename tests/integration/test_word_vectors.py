"""Vectors of words by the command line: learnt, asked, kept in a file, begun from; and what does not fit, refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.integration.conftest import CommandLine, command_line
from tests.integration.server import Server
from tests.integration.test_texts import content, weights

pytestmark = pytest.mark.integration

NETS = {
    "skipgram": ("optimizer.lr=0.03", "model.subsample=null", "model.window=2"),
    "cbow": ("optimizer.lr=0.03", "model.subsample=null", "model.window=2"),
    "glove": ("model.window=2", "model.x_max=10"),
    "nplm": ("model.hidden=8", "optimizer.lr=0.05", "model.words=3"),
}
WORDS = (
    "data=text_folder", "data.root=texts", "batch_size=10", "model.width=8", "hardware=cpu", "hardware.threads=1",
    "epochs=4",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences in which cats and dogs stand in the same places, and cars in others."""
    made, generator = tmp_path_factory.mktemp("vectors"), np.random.default_rng(0)
    for label, subjects, verbs in (
        ("animals", "cat dog mouse", "eats sleeps runs"),
        ("cars", "car bus", "stops turns"),
    ):
        (made / "texts" / label).mkdir(parents=True)
        for number in range(60):
            said = [f"the {generator.choice(subjects.split())} {generator.choice(verbs.split())}" for _ in range(4)]
            (made / "texts" / label / f"{number}.txt").write_text(" and ".join(said), encoding="utf-8")
    (made / "short" / "a").mkdir(parents=True)
    for number in range(30):
        (made / "short" / "a" / f"{number}.txt").write_text("cat dog"[number % 2 * 4 :][:3], encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def here(server: Server, folder: Path) -> CommandLine:
    return command_line(server, folder)


@pytest.fixture(scope="module")
def runs(here: CommandLine, folder: Path) -> dict[str, str]:
    found = {}
    for net, own in NETS.items():
        before = {run.name for run in (folder / "outputs").glob("*")}
        done = here("train", f"model={net}", *WORDS, *own)
        assert done.status == 0, done.err
        (found[net],) = {run.name for run in (folder / "outputs").iterdir()} - before
    return found


def metrics(folder: Path, run: str) -> dict[str, float]:
    found = json.loads((folder / "outputs" / run / "summary.json").read_text(encoding="utf-8"))["metrics"]
    return {name: float(value) for name, value in found.items()}


@pytest.mark.parametrize("net", NETS)
def test_a_run_has_its_figures_and_is_tested_again_to_the_same(
    net: str, runs: dict[str, str], here: CommandLine, folder: Path
) -> None:
    found = metrics(folder, runs[net])
    beside = {"test/perplexity", "val/perplexity", "test/bigram_perplexity"} if net == "nplm" else set()
    assert set(found) == {"train/loss", "val/loss", "test/loss", *beside}
    again = content(here("test", runs[net], "--json"))["metrics"]
    assert again["test/loss"] == pytest.approx(found["test/loss"], rel=1e-6)
    assert (folder / "outputs" / runs[net] / "pictures" / "word_map.png").is_file()
    rows = (folder / "outputs" / runs[net] / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].split(",")[:3] == ["index", "file", "words"] and rows[1].split(",")[2] == "15"


def test_perplexity_falls_far_below_what_knows_nothing(runs: dict[str, str], folder: Path) -> None:
    found = metrics(folder, runs["nplm"])
    assert found["test/perplexity"] == pytest.approx(np.exp(found["test/loss"]))
    assert found["test/perplexity"] < 6, "of twelve words"
    assert 1 < found["test/bigram_perplexity"] < 6


@pytest.mark.parametrize("net", NETS)
def test_words_are_asked_and_vectors_come_back_from_a_file(
    net: str, runs: dict[str, str], here: CommandLine, folder: Path
) -> None:
    asked = ("--near", "cat", "--near", "Bus", "--analogy", "cat-eats+turns", "--neighbours", "3")
    found = content(here("visualize", "words", runs[net], *asked, "--save", f"{net}.txt", "--json"))
    assert list(found["near"]) == ["cat", "Bus"] and len(found["near"]["cat"]) == 3
    named = {one["word"] for one in found["analogies"]["cat-eats+turns"]}
    assert len(named) == 3 and not named & {"cat", "eats", "turns"}
    assert [Path(path).name for path in found["written"]] == ["near.png", "word_map.png"]
    for vectors in (f"{net}.txt", f"run:{runs[net]}"):
        done = here("train", "model=kim_cnn", *WORDS[:-1], "epochs=1", f"model.vectors={vectors}",
                    "model.channels=static", "model.maps=2")  # fmt: skip
        assert done.status == 0, done.err
        assert "12 of 12 words found" in done.out
        newest = folder / done.out.split()[-1]  # several runs may begin in one second
        now = weights(newest)["net.embedding.weight"][2:]
        best = torch.load(folder / "outputs" / runs[net] / "checkpoints" / "best.ckpt", weights_only=True)["net"]
        tables = ["embedding", "context"] if net == "glove" else ["embedding"]
        assert torch.equal(now, sum(best[f"{table}.weight"] for table in tables)[2:]), vectors


@pytest.mark.parametrize("net", ["skipgram", "glove"])
def test_words_in_the_same_places_lie_near_each_other(net: str, runs: dict[str, str], here: CommandLine) -> None:
    found = content(here("visualize", "words", runs[net], "--near", "cat", "--neighbours", "11", "--json"))["near"][
        "cat"
    ]
    order = [one["word"] for one in found]
    assert min(order.index("dog"), order.index("mouse")) < order.index("bus")


def test_texts_are_answered(runs: dict[str, str], here: CommandLine) -> None:
    (said,) = content(here("predict", runs["nplm"], "--text", "the cat", "--json"))
    assert {one["label"] for one in said["top"][:3]} == {"eats", "sleeps", "runs"}
    (near,) = content(here("predict", runs["skipgram"], "--text", "cat dog", "--json"))
    assert len(near["near"]) == 8


def test_without_questions_frequent_words_are_shown(runs: dict[str, str], here: CommandLine) -> None:
    done = here("visualize", "words", runs["cbow"])
    assert done.status == 0 and "near car" in done.out, done.err


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("train", "model=skipgram", "data=mnist5k"), ("takes tokens", "holds pictures")),
        (("train", "model=lenet5", *WORDS[:2]), ("lenet5", "holds tokens")),
        (("train", "model=nplm", "task=word_vectors", *WORDS), ("task=word_vectors", "nplm")),
        (("train", "model=glove", *WORDS, "data.root=short"), ("no training text has two words",)),
        (("train", "model=cbow", *WORDS, "data.at_least=999"), ("data.at_least=999", "no word")),
        (("train", "model=skipgram", *WORDS, "model.window=0"), ("model.window=0",)),
        (("train", "model=nplm", *WORDS, "model.words=1"), ("model.words=1", "2 or more")),
        (("visualize", "words", "RUN", "--near", "catt"), ("--near catt", "did you mean cat?")),
        (("visualize", "words", "RUN", "--analogy", "cat-dog+xylophone"), ("xylophone is no word of this run",)),
        (("visualize", "words", "RUN", "--analogy", "cat"), ("--analogy cat: expected words", "king-man+woman")),
        (("summary", "model=cbow", *WORDS[:2], "--plot", "a.png"), ("no layer computes or pools",)),
        (("visualize", "words", "RUN", "--save", "none/v.txt"), ("--save none/v.txt: name a file in a folder",)),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(
    words: tuple[str, ...], parts: tuple[str, ...], runs: dict[str, str], here: CommandLine
) -> None:
    done = here(*(runs["skipgram"] if word == "RUN" else word for word in words))
    assert done.status == 2, done.out
    (line,) = done.err.splitlines()
    for part in parts:
        assert part in line
