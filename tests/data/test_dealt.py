"""Splits dealt out by name: each sample with its own picture, wherever the data set has it now."""

from __future__ import annotations

import torch

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.dealt import Dealt, find_places

NUMBERS: dict[SplitName, list[int]] = {"train": [0, 1, 2], "val": [3, 4], "test": [5]}


class Numbered(DataSet):
    """Samples s0, s1, … that hold their number."""

    targets = ("label",)

    def load(self, split: SplitName) -> TensorSplit:
        own = NUMBERS[split]
        return TensorSplit({"label": torch.tensor(own)}, names=[f"s{number}" for number in own])


def test_samples_go_to_the_splits_that_name_them_in_that_order() -> None:
    made = Dealt(Numbered(), {"train": ["s5", "s1"], "val": ["s0"], "test": ["s4", "s3"]})
    numbers = {split: made.load(split).batch(range(len(made.load(split))))["label"].tolist() for split in NUMBERS}
    assert numbers == {"train": [5, 1], "val": [0], "test": [4, 3]}
    assert made.load("test").names == ["s4", "s3"]


def test_a_name_that_two_splits_have_is_that_of_its_own() -> None:
    there: dict[SplitName, list[str]] = {"train": ["a", "b"], "val": ["a"], "test": ["c"]}
    assert find_places({"train": ["a"], "val": ["a", "c"]}, there) == {
        "train": [("train", 0)],
        "val": [("val", 0), ("test", 0)],
    }


def test_a_name_that_occurs_twice_is_taken_in_order_and_one_that_is_nowhere_not_at_all() -> None:
    assert find_places({"train": ["a", "gone", "a"]}, {"train": ["a", "x", "a"]}) == {
        "train": [("train", 0), ("train", 2)]
    }
