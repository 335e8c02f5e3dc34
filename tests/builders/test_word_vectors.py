from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnnexp.builders.word_vectors import put_vectors, read_vectors
from cnnexp.errors import InputError
from cnnexp.inputs.signals import Signals
from cnnexp.inputs.tokens import Tokens
from cnnexp.models.kim_cnn import KimCNN

OWN = Tokens(vocabulary_size=9, length=4, words=("cat", "fish", "the"), texts=3, found_in=(1, 1, 1))
LINES = ["the 0.5 -1 2", "a 1 1 1", "cat 3 2e-1 1", "cat 9 9 9", "von dem Hofe 7 7 7"]


def written(folder: Path, *lines: str, name: str = "vectors.txt") -> Path:
    path = folder / name
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def net(channels: str = "non_static", width: int = 3) -> KimCNN:
    torch.manual_seed(0)
    return KimCNN(vocabulary=5, num_classes=2, width=width, windows=(2,), maps=2, channels=channels)


def put(made: Any, vectors: str, own: Any = OWN) -> str | None:
    return put_vectors(made, {"model": {"vectors": vectors}, "outputs": "nowhere"}, own)


@pytest.mark.parametrize("name", ["glove.txt", "glove.txt.gz", "word2vec.txt", "word2vec.vec.gz"])
def test_both_formats_are_read_packed_or_not(name: str, tmp_path: Path) -> None:
    head = ["5 3"] if name.startswith("word2vec") else []
    found = read_vectors(written(tmp_path, *head, *LINES, name=name), ("cat", "the", "dog"), 3)
    assert {word: row.tolist() for word, row in found.items()} == {
        "the": [0.5, -1.0, 2.0],
        "cat": [3.0, np.float32(0.2), 1.0],
    }


@pytest.mark.parametrize("channels", ["non_static", "static", "both"])
def test_rows_are_matched_by_word_and_the_others_stay(channels: str, tmp_path: Path) -> None:
    made, fresh = net(channels), net(channels)
    path = written(tmp_path, *LINES)
    assert put(made, str(path)) == f"vectors of {path}: 2 of 3 words found, the others are random"
    for one in made.word_embeddings():
        assert one.weight[[2, 4]].tolist() == torch.tensor([[3, 0.2, 1], [0.5, -1, 2]]).tolist()
        assert not one.weight[0].any(), "padding stays zero"
    assert torch.equal(made.embedding.weight[[1, 3]], fresh.embedding.weight[[1, 3]])
    assert torch.equal(made.linear.weight, fresh.linear.weight)


def test_random_ones_and_nets_without_words_are_left_alone(tmp_path: Path) -> None:
    made = net()
    assert put(made, "random") is None
    assert put(torch.nn.Linear(2, 2), str(tmp_path / "none")) is None
    assert put(made, str(tmp_path / "none"), Signals(channels=1, length=4)) is None
    assert torch.equal(made.embedding.weight, net().embedding.weight)


@pytest.mark.parametrize(
    ("lines", "name", "line"),
    [
        (["the 1 2"], "v.txt", r"vectors of 2 numbers, and the net's have 3; add model\.width=2"),
        (["9 300", "the 1 2 3"], "v.txt", r"vectors of 300 numbers, and the net's have 3; add model\.width=300"),
        (["the 1 2 3", "a 1 2 3", "cat 1 2"], "v.txt", r"v\.txt:3: not a word and 3 numbers"),
        (["the 1 2 3", "cat 1 two 3"], "v.txt", r"v\.txt:2: not a word and finite numbers"),
        (["cat 1 nan 3"], "v.txt", r"v\.txt:1: not a word and finite numbers"),
        (["words"], "v.txt", r"v\.txt:1: not a word and 3 numbers"),
        (["dog 1 2 3"], "v.txt", "has none of the 3 words of these texts"),
    ],
)
def test_what_does_not_fit_is_refused(lines: list[str], name: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=line):
        put(net(), str(written(tmp_path, *lines, name=name)))


def test_a_file_that_is_cut_or_not_there_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, *LINES * 50, name="v.gz")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"v\.gz: cannot be read to its end"):
        put(net(), str(path))
    path.write_bytes(b"the 1 2 3\n")
    with pytest.raises(InputError, match=r"v\.gz: cannot be read to its end"):
        put(net(), str(path))
    with pytest.raises(InputError, match=r"none\.txt: no such file; give a file, run:ID or random"):
        put(net(), str(tmp_path / "none.txt"))
