"""Every class as often as any other, and no sample twice before all of its class have come."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.sampling.balanced import Balanced, endless
from cnnexp.sampling.base import Known

UNEVEN = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 5], [60, 25, 4, 11]))
"""Classes 3 and 4 do not occur."""


def drawn(seed: int = 0, epoch: int = 0, size: int = 8, labels: np.ndarray = UNEVEN) -> np.ndarray:
    return Balanced().epoch(len(labels), Known(labels), size, seed, epoch)


@pytest.mark.parametrize("size", [4, 7, 8, 33, 100])
@pytest.mark.parametrize("epoch", [0, 3])
def test_every_class_that_occurs_has_the_same_number_of_places(size: int, epoch: int) -> None:
    batches = drawn(epoch=epoch, size=size)
    assert batches.shape == (100 // size, size)
    counts = np.bincount(UNEVEN[batches.reshape(-1)], minlength=6)
    assert counts[[3, 4]].tolist() == [0, 0]
    assert max(counts[[0, 1, 2, 5]]) - min(counts[[0, 1, 2, 5]]) <= 1 and counts.sum() == 100 // size * size


def test_a_sample_comes_again_when_all_of_its_class_have_come() -> None:
    times = np.bincount(drawn(size=10).reshape(-1), minlength=100)
    for label, size in ((0, 60), (1, 25), (2, 4), (5, 11)):
        of_class = times[label == UNEVEN]
        assert of_class.max() - of_class.min() <= 1 and of_class.sum() == 25
        assert of_class.min() == 25 // size


def test_a_large_class_shows_all_its_samples_in_the_course_of_epochs() -> None:
    seen = {int(place) for epoch in range(12) for place in drawn(epoch=epoch).reshape(-1)}
    assert seen == set(range(100))


def test_classes_are_mixed_in_the_batches() -> None:
    """By chance a batch of 25 has from 0 to 25 of a class; in turn it would have 6 or 7."""
    shares = np.array([np.bincount(UNEVEN[batch], minlength=6)[[0, 1, 2, 5]] for batch in drawn(size=25)])
    assert len(np.unique(shares)) > 2 and (shares < 20).all()


def test_the_batches_depend_on_seed_and_epoch_alone() -> None:
    first = drawn(3, 5).tolist()
    assert drawn(3, 5).tolist() == first
    assert drawn(4, 5).tolist() != first and drawn(3, 6).tolist() != first


def test_the_first_numbers_are_written_down() -> None:
    """Runs that go on from a checkpoint have these batches."""
    assert drawn(3, 2, size=4, labels=np.array([0] * 9 + [1] * 3)).tolist() == [
        [10, 9, 10, 11],
        [8, 5, 9, 6],
        [2, 11, 7, 3],
    ]


def test_samples_without_a_class_each_are_refused() -> None:
    (line,) = Balanced().problems(Known(), 8)
    assert line == "sampling=balanced: the samples of this data have no single class each"
    assert Balanced().problems(Known(UNEVEN), 8) == []


@pytest.mark.parametrize("count", [0, 1, 3, 7, 10])
def test_permutation_after_permutation(count: int) -> None:
    members = np.array([4, 8, 9])
    found = endless(members, count, 0, 0, 1).tolist()
    assert len(found) == count
    for start in range(0, count - 2, 3):
        assert sorted(found[start : start + 3]) == [4, 8, 9]
    assert found == endless(members, 12, 0, 0, 1)[:count].tolist(), "the beginning of what goes on for ever"
