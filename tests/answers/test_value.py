"""Numbers as truth and answer: their scale, their words, what cannot be learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.answers.value import Value
from cnnexp.data.base import TensorSplit
from cnnexp.errors import InputError

PICTURE = np.full((8, 8, 1), 90, np.uint8)
BOTH = Value(["width", "age"], mean=[2.0, 40.0], std=[0.5, 10.0])


def split(*rows: list[float]) -> TensorSplit:
    return TensorSplit({"value": torch.tensor(rows, dtype=torch.float32)})


def test_mean_and_deviation_are_those_of_the_samples_that_take_part() -> None:
    """Of 1, 3 and 5 the mean is 3, and the mean square from it 8/3; the sample of 1000 takes no part."""
    found = Value(["a", "b"]).learn(split([1, 0], [3, 1], [1000, 7], [5, 2]), np.array([0, 1, 3]))
    assert found.mean == pytest.approx((3.0, 1.0)) and found.std == pytest.approx(((8 / 3) ** 0.5, (2 / 3) ** 0.5))


def test_large_numbers_close_together_keep_their_deviation() -> None:
    found = Value(["year"]).learn(split([20001.0], [20003.0]), np.array([0, 1]))
    assert found.std == pytest.approx((1.0,))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (([1.0], [float("nan")]), "age: 1 of 2 training samples have no finite number"),
        (([1.0], [float("inf")]), "age: 1 of 2 training samples have no finite number"),
        (([3.5], [3.5]), r"age: is 3.5 in all training samples; there is nothing to learn"),
        (([1.0, 2.0], [2.0, 3.0]), "data.classes names 1 numbers, each sample has 2"),
    ],
)
def test_numbers_that_nothing_can_be_learnt_of(rows: tuple[list[float], ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Value(["age"]).learn(split(*rows), np.array([0, 1]))


def test_there_and_back() -> None:
    values = torch.tensor([[2.5, 20.0], [1.0, 40.0]])
    assert BOTH.standardised(values).tolist() == [[1.0, -2.0], [-2.0, 0.0]]
    assert BOTH.in_units(BOTH.standardised(values)).tolist() == values.tolist()


def test_what_was_learnt_comes_back_and_nothing_else_does() -> None:
    again = Value(BOTH.names).with_learnt(BOTH.learnt())
    assert (again.mean, again.std) == (BOTH.mean, BOTH.std)
    for content in ({}, {"mean": [1.0], "std": [1.0]}, {"mean": [1.0, 2.0], "std": [0.0, 1.0]}):
        with pytest.raises(InputError, match="for each of width, age"):
            Value(BOTH.names).with_learnt(content)


def test_answers_in_words() -> None:
    row = BOTH.as_json(np.array([2.03125, 41.0], np.float32), PICTURE)
    assert row == {"values": {"width": 2.03125, "age": 41.0}}
    assert [line.split() for line in BOTH.lines(row)] == [["width", "2.031"], ["age", "41"]]
    assert BOTH.marks({"value": torch.tensor([[0, 0], [1.5, 33.0]])}, 1) == {"caption": "1.5 33"}


def test_the_truth_is_drawn_beside_the_answer() -> None:
    said = np.array([2.0, 41.0])
    alone, beside = (BOTH.image(PICTURE, said, truth) for truth in (None, {"value": torch.tensor([[1.0, 40.0]])}))
    assert beside.tobytes() != alone.tobytes()
    sheets = [BOTH.sheets([PICTURE], [said], {"value": torch.tensor([[1.0, age]])}) for age in (40.0, 41.0)]
    assert sheets[0]["predictions"].tobytes() != sheets[1]["predictions"].tobytes()
