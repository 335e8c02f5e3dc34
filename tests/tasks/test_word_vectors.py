"""Texts without labels: what is drawn belongs to the text and the epoch, and what is counted is of the training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.data.part import Part
from cnnexp.errors import InputError
from cnnexp.inputs.tokens import Tokens
from cnnexp.inputs.words import bytes_of
from cnnexp.models.glove import GloVe
from cnnexp.models.skipgram import SkipGram
from cnnexp.tasks.word_vectors import WordVectors
from tests.tasks import tiny

TEXTS = ["the cat saw the dog", "a dog saw a cat and ran", "the dog ran", "a cat ran and the dog ran"] * 3


class Texts(DataSet):
    targets = ()

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def load(self, split: SplitName) -> TensorSplit:
        return TensorSplit({}, ragged={"text": [bytes_of(text) for text in self.texts]})


def data(texts: list[str] = TEXTS, fraction: float = 1.0, **changes: Any) -> Data:
    """The same texts in every split, with their words."""
    given = Tokens(**(dict(vocabulary_size=20, length=9, padding="longest") | changes))
    made = Data(dataset=Texts(texts), facts=Facts("tiny", given), batch_size=4, workers=0, seed=0, part=Part(fraction))
    made.facts = Facts("tiny", given.learn(made.split("train"), made.train_positions()))
    return made


def task(made: Data, kind: type[nn.Module] = SkipGram, **changes: Any) -> WordVectors:
    torch.manual_seed(0)
    told = made.facts.input.told()
    own: dict[str, Any] = {"vocabulary": told["vocabulary"], "width": 4, "window": 2}
    if kind is SkipGram:
        own |= {"occurrences": told["occurrences"], "negatives": 2, "subsample": 0.1}
    else:
        own |= {"x_max": 10.0, "alpha": 0.75}
    net = kind(**(own | changes))
    for table in (net.embedding, net.context):
        nn.init.normal_(table.weight)  # type: ignore[union-attr]
    return WordVectors(tiny.parts(WordVectors, net, facts=made.facts))


def losses(made: WordVectors, whole: dict[str, Tensor], which: slice, epoch: int, train: bool = True) -> Tensor:
    part = {name: value[which] for name, value in whole.items()}
    (term,) = made.step(made.prepare(part, train, epoch), "train" if train else "val").terms
    return torch.stack([term.mean.detach() * term.count, torch.as_tensor(term.count)])


def test_what_is_drawn_belongs_to_the_text_and_the_epoch() -> None:
    samples = data()
    made, batch = task(samples), samples.split("train").batch(range(6))
    halves = losses(made, batch, slice(0, 3), 2) + losses(made, batch, slice(3, 6), 2)
    torch.testing.assert_close(halves, losses(made, batch, slice(0, 6), 2))
    assert not torch.equal(losses(made, batch, slice(0, 6), 2), losses(made, batch, slice(0, 6), 3))
    fixed = [losses(made, batch, slice(0, 6), epoch, train=False) for epoch in (0, 5)]
    assert torch.equal(*fixed)


def test_counts_are_those_of_the_training_texts_that_take_part() -> None:
    half, whole = data(fraction=0.5), data()
    found = []
    for one in (half, whole):
        made = task(one, GloVe)
        made.see(one)
        assert isinstance(made.net, GloVe) and made.net.counted is not None
        found.append(float(made.net.counted.counts.sum()))
    assert 0 < found[0] < found[1]


def test_it_is_counted_once() -> None:
    samples = data()
    made = task(samples, GloVe)
    made.see(samples)
    net: Any = made.net
    counted = net.counted
    made.see(data(["other words"]))
    assert net.counted is counted


@pytest.mark.parametrize("kind", [SkipGram, GloVe])
def test_texts_without_two_words_together_are_refused(kind: type[nn.Module]) -> None:
    samples = data(["cat", "dog", "!", "cat"])
    with pytest.raises(InputError, match=r"data=tiny: no training text has two words .* take longer texts"):
        task(samples, kind).see(samples)


def test_a_text_is_answered_by_the_words_nearest_to_the_mean_of_its_own() -> None:
    samples = data()
    made = task(samples)
    net: Any = made.net
    words = list(samples.facts.input.learnt()["words"])
    with torch.no_grad():
        net.embedding.weight.zero_()
        for word, row in {
            "cat": (4.0, 0, 0, 0),
            "dog": (0, 2.0, 0, 0),
            "ran": (1.0, 1, 0, 0),
            "saw": (-1.0, 0, 0, 0),
        }.items():
            net.embedding.weight[2 + words.index(word)] = torch.tensor(row)
    batch = made.prepare(Texts(["cat dog", "unheard"]).load("train").batch([0, 1]), False)
    answer, nothing = made.predict(batch)
    # the mean of both is (2, 1), whose cosine with (1, 1) is 3 / √10
    assert [word for word, _ in answer[:3]] == ["ran", "cat", "dog"]
    assert answer[0][1] == pytest.approx(3 / np.sqrt(10))
    assert nothing == [] and made.answer.lines(made.answer.as_json(nothing, None)) == ["no word that has a number"]  # type: ignore[arg-type]
    assert made.answer.lines(made.answer.as_json(answer, None))[0].split() == ["ran", "0.949"]  # type: ignore[arg-type]


def test_of_each_text_the_words_are_counted_and_frequent_ones_drawn() -> None:
    samples = data()
    made = task(samples)
    output = made.step(batch := made.prepare(samples.split("test").batch(range(3)), False), "test")
    assert made.rows(batch, output)["words"].tolist() == [5, 7, 3]
    # of seven words too few are left: those that less than half of the texts have are saw and and a
    assert made.gallery(samples, {}) == {}
    many = data([" ".join(f"w{word}" for word in range(start, start + 5)) for start in range(20)], vocabulary_size=50)
    assert set(task(many).gallery(many, {})) == {"word_map"}
