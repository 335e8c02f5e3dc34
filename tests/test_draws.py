"""Counter-based random numbers against splitmix64 in Python's own integers."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.draws import permutation, uniform

MASK = (1 << 64) - 1


def splitmix64(state: int) -> int:
    """One output for a state that was already stepped (Steele, Lea, Flood 2014, figure 17)."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def expected(*key: int) -> float:
    state = 0
    for part in key:
        state = splitmix64((state + 0x9E3779B97F4A7C15 + part) & MASK)
    return (state >> 11) / 2**53


@pytest.mark.parametrize(
    "key", [(0,), (1,), (0, 0), (1, 2, 3), (3, 2, 1), (0xA46, 7, 29, 59_999, 5), (MASK,), (2**63, 2**63)]
)
def test_each_number_is_splitmix64_folded_over_its_key(key: tuple[int, ...]) -> None:
    parts = [np.array(part, dtype=np.uint64) for part in key]
    assert float(uniform(*parts)) == expected(*key)


def test_the_first_number_is_the_published_one() -> None:
    """A splitmix64 generator with seed 0 begins with 0xE220A8397B1DCDAF."""
    assert float(uniform(0)) == (0xE220A8397B1DCDAF >> 11) / 2**53


def test_keys_broadcast_and_no_number_needs_another() -> None:
    table = uniform(4, np.arange(5)[:, None], np.arange(3)[None])
    assert table.shape == (5, 3)
    assert table[4, 1] == expected(4, 4, 1)
    assert np.array_equal(uniform(4, np.array([4, 0])[:, None], np.arange(3)), table[[4, 0]])


def test_numbers_are_uniform_and_neighbours_independent() -> None:
    numbers = uniform(9, np.arange(300)[:, None], np.arange(300)[None])
    assert numbers.min() >= 0 and numbers.max() < 1
    assert numbers.dtype == np.float64
    counts = np.histogram(numbers, bins=50, range=(0, 1))[0]
    share = numbers.size / 50
    assert np.abs(counts - share).max() < 5 * share**0.5
    for shifted, kept in ((numbers[1:], numbers[:-1]), (numbers[:, 1:], numbers[:, :-1])):
        assert abs(np.corrcoef(shifted.ravel(), kept.ravel())[0, 1]) < 5 / 300
    assert len(np.unique(numbers)) == numbers.size


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_a_permutation_holds_every_position_once(count: int) -> None:
    order = permutation(count, 1, 2)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(count))


def test_a_permutation_depends_on_its_key_alone() -> None:
    assert np.array_equal(permutation(100, 1, 2), permutation(100, 1, 2))
    by_hand = sorted(range(100), key=lambda position: expected(1, 2, position))
    assert permutation(100, 1, 2).tolist() == by_hand
    for other in (permutation(100, 1, 3), permutation(100, 2, 2)):
        assert (other == permutation(100, 1, 2)).sum() < 10


def test_every_position_comes_first_equally_often() -> None:
    first = np.bincount([int(permutation(5, 7, epoch)[0]) for epoch in range(5000)], minlength=5)
    assert np.abs(first - 1000).max() < 5 * (5000 * 0.2 * 0.8) ** 0.5
