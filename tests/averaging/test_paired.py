"""The paired bootstrap against the normal approximation and against cases without doubt."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.averaging.paired import RESAMPLES, gains, resampled


def accuracy(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def outcomes(right: np.ndarray) -> np.ndarray:
    return np.stack([right, np.ones_like(right)], 1).astype(np.int64)


def test_nothing_gained_is_nothing_for_sure() -> None:
    right = outcomes(np.arange(50) % 2)
    (gain,) = gains(right, [[right]], accuracy)
    assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)


def test_the_interval_is_that_of_the_normal_approximation() -> None:
    random = np.random.default_rng(0)
    before = (random.random(2000) < 0.85).astype(np.int64)
    after = np.where(random.random(2000) < 0.05, 1 - before, before)
    (gain,) = gains(outcomes(after), [[outcomes(before)]], accuracy)
    difference = after - before
    half = 1.96 * difference.std() / np.sqrt(2000)
    assert gain.value == pytest.approx(difference.mean())
    assert gain.low == pytest.approx(difference.mean() - half, abs=0.12 * half)
    assert gain.high == pytest.approx(difference.mean() + half, abs=0.12 * half)


def test_pairing_makes_it_narrower_than_two_scores_apart() -> None:
    random = np.random.default_rng(1)
    before = (random.random(1000) < 0.7).astype(np.int64)
    after = before.copy()
    after[np.flatnonzero(before == 0)[:30]] = 1
    shuffled = random.permutation(before)
    (paired,), (apart,) = (gains(outcomes(after), [[outcomes(one)]], accuracy) for one in (before, shuffled))
    assert paired.value == pytest.approx(0.03) and apart.value == pytest.approx(0.03)
    assert paired.low > 0 > apart.low


def test_several_groups_share_the_draws_and_a_group_is_its_mean() -> None:
    random = np.random.default_rng(2)
    one, two, after = (outcomes((random.random(300) < part).astype(np.int64)) for part in (0.5, 0.7, 0.8))
    alone = gains(after, [[one]], accuracy)[0]
    both = gains(after, [[two], [one, two], [one]], accuracy)
    assert both[2] == alone
    assert both[1].value == pytest.approx((both[0].value + both[2].value) / 2)


def test_a_resampling_has_as_many_samples_and_is_the_same_each_time() -> None:
    counts = np.stack([np.arange(7), np.ones(7, np.int64)], 1)
    (first,), (second,) = resampled([counts]), resampled([counts])
    assert first.shape == (RESAMPLES, 2)
    assert (first[:, 1] == 7).all()
    assert np.array_equal(first, second)
    assert first[:, 0].mean() == pytest.approx(21, rel=0.02)
    assert len(np.unique(first[:, 0])) > 10
