"""The paired bootstrap against the normal approximation, the tests against values by hand and what chance does."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest

from cnnexp.statistics.samples import RESAMPLES, gains, mcnemar, mean_gain, permuted_signs, resampled


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


def test_a_mean_gain_is_the_gain_of_a_score_that_is_a_mean() -> None:
    random = np.random.default_rng(3)
    before, after = ((random.random(400) < part).astype(np.int64) for part in (0.8, 0.85))
    (gain,) = gains(outcomes(after), [[outcomes(before)]], accuracy)
    assert astuple(mean_gain((after - before).astype(float))) == pytest.approx(astuple(gain))


def test_the_interval_holds_the_mean_about_as_often_as_it_says() -> None:
    """Of skewed differences; the percentile interval of 80 of them is known to be a little too narrow."""
    random = np.random.default_rng(4)
    draws = random.gamma(2, 0.5, (300, 80))
    held = sum((gain := mean_gain(one)).low <= 1.0 <= gain.high for one in draws) / 300
    assert 0.91 <= held <= 0.98


def test_mcnemar_by_hand() -> None:
    # 1 against 5: P(X <= 1) + P(X >= 5) of a fair coin thrown six times = 14 / 64
    assert mcnemar(1, 5) == pytest.approx(14 / 64)
    assert mcnemar(5, 1) == mcnemar(1, 5)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 10) == pytest.approx(2 / 2**10)


def test_a_thousand_pairs_of_equal_nets_give_five_in_a_hundred_false_alarms_at_most() -> None:
    draws = np.random.default_rng(3)
    alarms = 0
    for _ in range(1000):
        hard = draws.random(500) < 0.15  # pictures that both nets may get wrong
        first, second = ((~hard) | (draws.random(500) < 0.5) for _ in range(2))
        alarms += mcnemar(int(np.sum(first & ~second)), int(np.sum(second & ~first))) < 0.05
    assert alarms / 1000 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1000)
    assert alarms > 10, "a test that never speaks is no test"


def test_permutations_keep_their_level_and_find_a_planted_effect() -> None:
    draws = np.random.default_rng(4)
    alarms = found = 0
    for _ in range(60):
        noise = draws.standard_t(3, 80) * 0.1
        alarms += permuted_signs(noise) < 0.05
        found += permuted_signs(noise + 0.08) < 0.05
    assert alarms / 60 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 60)
    assert found / 60 > 0.8
