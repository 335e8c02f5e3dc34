"""Identities: those of the training are learnt, others are asked about; and what has no pairs is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.answers.identity import Identity
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError

NAMES = ("anna", "ben", "cleo", "dan")


def split(labels: list[int]) -> TensorSplit:
    return TensorSplit({"label": torch.tensor(labels)})


def test_it_learns_who_is_trained_on() -> None:
    found = Identity(NAMES).learn(split([3, 1, 1, 3, 0]), np.array([0, 1, 2, 3]))
    assert found.trained == ("ben", "dan") and found.rows == (-1, 0, -1, 1)
    again = Identity(("dan", "zoe")).with_learnt(found.learnt())
    assert again.trained == ("ben", "dan") and again.rows == (1, -1), "other data has other people"
    assert Identity(NAMES).rows == (0, 1, 2, 3), "before it is known, all of them"


@pytest.mark.parametrize("content", [{}, {"trained": []}, {"trained": "anna"}, {"trained": [1]}])
def test_what_it_did_not_learn_is_refused(content: dict) -> None:
    with pytest.raises(InputError, match="no names of the identities"):
        Identity(NAMES).with_learnt(content)


@pytest.mark.parametrize(
    ("labels", "part"),
    [([1, 1, 1], "3 samples of 1 identity;"), ([0, 1, 2], "3 samples of 3 identities;")],
)
def test_samples_without_a_pair_of_each_kind_are_refused(labels: list[int], part: str) -> None:
    with pytest.raises(InputError, match=part):
        Identity(NAMES).learn(split(labels), np.arange(3))
    with pytest.raises(InputError, match=f"a split of data=people: {part}"):
        Identity(NAMES).refuse(split(labels), "people")


def test_data_without_identities_is_refused() -> None:
    with pytest.raises(InputError, match="no identity each"):
        Identity(NAMES).refuse(TensorSplit({"image": torch.zeros(3, 1)}), "people")


def test_an_embedding_is_told_and_drawn() -> None:
    answer, picture = Identity(NAMES), np.zeros((8, 8, 1), np.uint8)
    row = answer.as_json(np.array([0.6, -0.8, 0, 0, 0]), picture)
    assert row == {"embedding": [0.6, -0.8, 0, 0, 0]}
    (line,) = answer.lines(row)
    assert line.startswith("a direction of 5 numbers: 0.600, -0.800, 0.000, 0.000, …")
    assert answer.image(picture, None, {"label": torch.tensor([2])}).size[0] > 90
    assert answer.sheets([picture], [None], {}) == {}
    assert answer.marks({"label": torch.tensor([2])}, 0) == {"caption": "cleo"}
