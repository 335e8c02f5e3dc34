"""Runs on kinds of input that learn, move or come together: trained, recorded, asked and gone on from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnexp.builders.weights import load_weights
from cnnexp.cli import main
from cnnexp.runs.checkpoints import BEST
from tests.inputs.made import write_file
from tests.inputs.own import in_own_folder

own = pytest.fixture(in_own_folder)
pytestmark = pytest.mark.integration


def cnnexp(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0, yaml: bool = True) -> str:
    """What a command prints, its error lines included."""
    found = main([*words, *(["--config-dir", "conf"] if yaml else []), "--trust", "tiny"])
    said = capsys.readouterr()
    assert found == status, said.err + said.out
    return said.out + said.err


def trained(capsys: pytest.CaptureFixture[str], kind: str, *words: str) -> tuple[Path, str]:
    """A new run's folder, and what it printed."""
    before = set(Path("outputs").glob("*/run.json"))
    said = cnnexp(capsys, "train", f"model=tiny_{kind}", f"data=tiny_{kind}", "optimizer.lr=0.01", *words)
    (found,) = set(Path("outputs").glob("*/run.json")) - before
    return found.parent, said


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", ["tokens", "clips", "several"])
def test_a_run_is_trained_and_asked(own: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = trained(capsys, kind)
    assert 0 <= read(run / "summary.json")["metrics"]["test/accuracy"] <= 1
    learnt = run / "input.json"
    assert learnt.exists() == (kind != "clips")
    if learnt.exists():
        content = read(learnt)
        words = (content if kind == "tokens" else content["question"])["words"]
        assert len(words) == 8 and {"yes", "no"} <= set(words), "the most frequent ones"
    file = write_file(kind, own)
    (answer,) = json.loads(cnnexp(capsys, "predict", "last", str(file), "--json", "--out", "drawn", yaml=False))
    assert Path(answer["drawn"]).exists() and "a" in str(answer)


def test_an_augmented_clip_is_another_in_every_epoch(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = trained(capsys, "clips", "augmentation=clips", "augmentation.mirror.horizontal=0.5")
    assert (run / "summary.json").exists()
    words = ("train", "model=tiny_clips", "data=tiny_clips")
    said = cnnexp(capsys, *words, "augmentation=clips", "augmentation.mixup.alpha=0.2", status=2)
    assert "augmentation.mixup.alpha=0.2: clips are not mixed with each other; 0 is off" in said
    said = cnnexp(capsys, *words, "augmentation=clips", "augmentation.noise.sigma=2", status=2)
    assert "augmentation.noise.sigma=2: expected a number" in said
    assert "take augmentation=clips" in cnnexp(capsys, *words, "augmentation=crop_flip", status=2)


def test_a_net_with_another_vocabulary_begins_with_the_rows_of_the_same_words(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = trained(capsys, "tokens")
    options = ("data.vocabulary_size=6", "model.weights=run:last", "optimizer.lr=1e-30")
    second, said = trained(capsys, "tokens", *options)
    assert "embedding.weight matched by what the input learnt" in said
    assert read(second / "weights.json")["relearnt"] == ["embedding.weight"]
    words, before = (read(run / "input.json")["words"] for run in (second, first))
    now, then = (load_weights(run / BEST)["embedding.weight"] for run in (second, first))
    assert len(words) == 6 and len(now) == 8
    rows = [0, 1, *(2 + before.index(word) for word in words)]
    assert torch.allclose(now, then[rows], atol=1e-6)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("data.parts.question.length=0", "data.parts.question.length=0: expected a whole number of at least 1"),
        ("+data.parts.question.widht=3", "data.parts.question: got an unexpected keyword argument 'widht'"),
        ("data.parts.question.input=tests", "data.parts.question.input=tests: no kind of input of cnnexp"),
    ],
)
def test_a_part_that_makes_no_sense(own: Path, word: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in cnnexp(capsys, "train", "model=tiny_several", "data=tiny_several", word, status=2)
