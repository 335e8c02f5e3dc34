"""A permutation cut into batches."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.draws import permutation
from cnnexp.sampling.base import Known
from cnnexp.sampling.shuffled import Shuffled


@pytest.mark.parametrize(
    ("count", "size", "seed", "epoch"), [(50, 8, 0, 0), (64, 16, 7, 3), (9, 4, 2, 11), (5, 5, 1, 0)]
)
def test_the_order_is_that_of_every_earlier_version(count: int, size: int, seed: int, epoch: int) -> None:
    """Recorded runs, and those that go on from a checkpoint, have these batches."""
    expected = permutation(count, 0x0D3, seed, epoch)[: count // size * size]
    drawn = Shuffled().epoch(count, Known(), size, seed, epoch)
    assert drawn.shape == (count // size, size)
    assert drawn.reshape(-1).tolist() == expected.tolist()
    assert len(set(expected.tolist())) == len(expected)


def test_the_first_numbers_are_written_down() -> None:
    """Whatever becomes of ``permutation``."""
    assert Shuffled().epoch(10, Known(), 5, 3, 2).tolist() == [[9, 6, 1, 5, 7], [3, 8, 2, 0, 4]]


def test_labels_do_not_matter() -> None:
    labels = np.arange(20) % 3
    assert not Shuffled.needs_labels and Shuffled().problems(Known(), 8) == []
    assert np.array_equal(Shuffled().epoch(20, Known(labels), 4, 0, 0), Shuffled().epoch(20, Known(), 4, 0, 0))
