"""Batches of like lengths."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from cnnexp.data.base import TensorSplit
from cnnexp.sampling.base import Known
from cnnexp.sampling.like_lengths import LikeLengths

LENGTHS = np.random.default_rng(0).integers(1, 40, 103)


def drawn(batches_sorted: int, size: int = 10, seed: int = 0, epoch: int = 0) -> np.ndarray:
    return LikeLengths(batches_sorted=batches_sorted).epoch(len(LENGTHS), Known(lengths=LENGTHS), size, seed, epoch)


@pytest.mark.parametrize("batches_sorted", [1, 3, 10, 99])
def test_every_sample_comes_once_but_for_what_is_over(batches_sorted: int) -> None:
    batches = drawn(batches_sorted)
    assert batches.shape == (10, 10) and len(np.unique(batches)) == 100


def test_all_sorted_together_no_two_batches_overlap_in_length() -> None:
    spans = sorted((int(LENGTHS[one].min()), int(LENGTHS[one].max())) for one in drawn(10))
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_less_is_padded_the_more_are_sorted_together() -> None:
    padded = [sum(int(LENGTHS[one].max()) * len(one) for one in drawn(several)) for several in (1, 3, 10)]
    assert padded[0] > padded[1] > padded[2]
    assert padded[2] < 1.15 * LENGTHS[np.unique(drawn(10))].sum() < padded[0]


def test_an_epoch_is_drawn_from_seed_and_number_and_batches_change() -> None:
    assert np.array_equal(drawn(3), drawn(3))
    first, other = ({frozenset(one.tolist()) for one in drawn(3, epoch=epoch)} for epoch in (0, 1))
    assert not first & other
    assert not np.array_equal(drawn(3), drawn(3, seed=1))


def test_batches_do_not_come_by_length() -> None:
    longest = [int(LENGTHS[one].max()) for one in drawn(10)]
    assert longest not in (sorted(longest), sorted(longest, reverse=True))


def test_samples_of_one_length_are_refused() -> None:
    pictures = TensorSplit({"image": torch.zeros(3, 1)})
    assert pictures.lengths() is None
    (line,) = LikeLengths(batches_sorted=2).problems(Known(), 2)
    assert line.startswith("sampling=like_lengths: the samples of this data are all of one length")
    (line,) = LikeLengths(batches_sorted=0).problems(Known(lengths=LENGTHS), 2)
    assert line.startswith("sampling.batches_sorted=0")


def test_the_lengths_of_a_split_are_those_of_its_ragged_values() -> None:
    texts = [torch.zeros(length, dtype=torch.uint8) for length in (3, 1, 4)]
    assert TensorSplit({}, ragged={"a": texts, "b": texts}).lengths().tolist() == [6, 2, 8]  # type: ignore[union-attr]
