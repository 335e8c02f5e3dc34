"""The statistics against textbook values, SciPy's functions, and what chance does to a thousand pairs of nothing."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from cnnexp.statistics.means import difference, estimate, holm, power, reach_of_pairs

PAIRS = 1000
SAMPLING_ERROR = 3 * math.sqrt(0.05 * 0.95 / PAIRS)


def by_seed(values: np.ndarray, first: int = 0) -> dict[int, float]:
    return {first + seed: float(value) for seed, value in enumerate(values)}


def test_the_mean_and_its_interval_by_hand() -> None:
    # t of 2 degrees of freedom at 97.5 % is 4.302653 (any table)
    found = estimate([0.98, 0.986, 0.98])
    assert found.n == 3
    assert found.mean == pytest.approx(0.982)
    assert found.sd == pytest.approx(math.sqrt((2 * 0.002**2 + 0.004**2) / 2))
    assert found.high == pytest.approx(0.982 + 4.302653 * found.sd / math.sqrt(3), abs=1e-8)
    assert found.low == pytest.approx(2 * found.mean - found.high)


def test_one_run_has_no_interval_and_none_is_an_error() -> None:
    assert (estimate([0.5]).mean, estimate([0.5]).sd, estimate([0.5]).low) == (0.5, None, None)
    with pytest.raises(ValueError, match="no runs"):
        estimate([])


def test_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    draws = np.random.default_rng(1).normal(0.9, 0.01, (PAIRS, 4))
    held = sum((found := estimate(list(values))).low <= 0.9 <= found.high for values in draws)  # type: ignore[operator]
    assert abs(held / PAIRS - 0.95) < SAMPLING_ERROR


def test_how_far_two_further_runs_lie_apart_by_hand_and_by_chance() -> None:
    # t of 2 degrees of freedom at 97.5 % is 4.302653; the standard deviation of 1, 2, 3 is 1
    assert reach_of_pairs([1.0, 2.0, 3.0]) == pytest.approx(4.302653 * math.sqrt(2), abs=1e-6)
    draws = np.random.default_rng(8).normal(0.9, 0.01, (PAIRS, 7))
    farther = sum(abs(one[0] - one[1]) > reach_of_pairs(list(one[2:])) for one in draws)
    assert abs(farther / PAIRS - 0.05) < SAMPLING_ERROR


def test_same_seeds_are_paired_and_others_are_not() -> None:
    one, other = {0: 0.90, 1: 0.94, 2: 0.92}, {2: 0.91, 0: 0.88, 1: 0.93}
    paired = difference(one, other)
    oracle = stats.ttest_rel([0.90, 0.94, 0.92], [0.88, 0.93, 0.91])
    assert paired is not None
    assert (paired.method, paired.n) == ("paired t-test", 3)
    assert paired.p == pytest.approx(oracle.pvalue)
    assert paired.value == pytest.approx(0.04 / 3)
    assert paired.effect == pytest.approx(0.04 / 3 / np.std([0.02, 0.01, 0.01], ddof=1))
    assert (paired.low, paired.high) == pytest.approx(tuple(oracle.confidence_interval()))

    welch = difference(one, {5: 0.88, 6: 0.93, 7: 0.91, 8: 0.90})
    assert welch is not None
    oracle = stats.ttest_ind([0.90, 0.94, 0.92], [0.88, 0.93, 0.91, 0.90], equal_var=False)
    assert (welch.method, welch.n) == ("Welch's t-test", 3)
    assert welch.p == pytest.approx(oracle.pvalue)


def test_welch_by_hand() -> None:
    # Means 3 and 6, variances 2.5 and 10, five each: t = -3 / sqrt(12.5 / 5), and 12.5² / (2.5² + 10²) · 4 degrees.
    found = difference(by_seed(np.array([1, 2, 3, 4, 5])), by_seed(np.array([2, 4, 6, 8, 10]), first=9))
    assert found is not None
    t, freedom = -3 / math.sqrt(2.5), 12.5**2 * 4 / (2.5**2 + 10**2)
    assert found.p == pytest.approx(2 * stats.t.cdf(t, freedom))
    reach = stats.t.ppf(0.975, freedom) * math.sqrt(2.5)
    assert (found.low, found.high) == pytest.approx((-3 - reach, -3 + reach))
    # Hedges' g: d = -3 / sqrt(6.25), with J = 1 - 3 / (4 · 10 - 9)
    assert found.effect == pytest.approx(-3 / 2.5 * (1 - 3 / 31))


def test_a_single_run_shows_no_scatter_and_equal_runs_are_not_judged() -> None:
    assert difference({0: 0.9}, {0: 0.8}) is None
    assert difference({0: 0.9, 1: 0.9}, {0: 0.8}) is None
    still = difference({0: 0.9, 1: 0.94}, {0: 0.898, 1: 0.938})
    assert still is not None
    assert (still.p, still.low, still.further) == (None, None, None)
    flat = difference({0: 0.9, 1: 0.9}, {2: 0.8, 3: 0.8})
    assert flat is not None and flat.p is None


@pytest.mark.parametrize("paired", [True, False])
def test_a_thousand_pairs_of_nothing_give_five_in_a_hundred_false_alarms(paired: bool) -> None:
    draws = np.random.default_rng(2 + paired)
    found = []
    for _ in range(PAIRS):
        seeds = draws.normal(0, 0.01, 5)  # what a seed does to both
        first, second = (0.9 + (seeds if paired else 0) + draws.normal(0, 0.004, 5) for _ in range(2))
        found.append(difference(by_seed(first), by_seed(second, 0 if paired else 100)))
    alarms = sum(one is not None and one.p is not None and one.p < 0.05 for one in found) / PAIRS
    assert alarms <= 0.05 + SAMPLING_ERROR
    assert alarms >= 0.03, "a test that never speaks is no test"


@pytest.mark.parametrize(("paired", "least"), [(True, 0.9), (False, 0.0)])
def test_pairing_finds_a_planted_effect_that_seeds_would_hide(paired: bool, least: float) -> None:
    draws = np.random.default_rng(4)
    found = 0
    for _ in range(200):
        seeds = draws.normal(0, 0.03, 5)
        first, second = (shift + seeds + draws.normal(0, 0.003, 5) for shift in (0.91, 0.90))
        one = difference(by_seed(first), by_seed(second, 0 if paired else 100))
        found += one is not None and one.p is not None and one.p < 0.05
    assert found / 200 >= least
    assert paired or found / 200 < 0.2


def test_welch_finds_a_planted_effect() -> None:
    draws = np.random.default_rng(5)
    pairs = [
        difference(by_seed(draws.normal(0.92, 0.01, 6)), by_seed(draws.normal(0.90, 0.01, 8), 50)) for _ in range(200)
    ]
    assert sum(one is not None and one.p is not None and one.p < 0.05 for one in pairs) / 200 > 0.8


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@pytest.mark.slow
def test_five_groups_of_nothing_give_one_false_alarm_in_twenty_families_with_holm() -> None:
    draws = np.random.default_rng(6)
    alarmed, without = 0, 0
    for _ in range(300):
        groups = [by_seed(draws.normal(0.9, 0.01, 4), 10 * place) for place in range(5)]
        tests = [difference(one, other) for place, one in enumerate(groups) for other in groups[:place]]
        p_values = [one.p for one in tests if one is not None and one.p is not None]
        assert len(p_values) == 10
        alarmed += min(holm(p_values)) < 0.05
        without += min(p_values) < 0.05
    assert alarmed / 300 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)
    assert without / 300 > 0.12, "ten tests without a correction alarm more often"


@pytest.mark.parametrize(("groups", "effect", "n"), [(1, 0.9, 8), (2, 1.2, 10), (2, 0.3, 20)])
def test_power_is_how_often_the_effect_is_found(groups: int, effect: float, n: int) -> None:
    draws = np.random.default_rng(7)
    first = draws.normal(effect, 1, (4000, n))
    if groups == 1:
        p = stats.ttest_1samp(first, 0, axis=1).pvalue
    else:
        p = stats.ttest_ind(first, draws.normal(0, 1, (4000, n)), axis=1).pvalue
    assert power(effect, n, groups) == pytest.approx(np.mean(p < 0.05), abs=0.025)


def test_power_as_in_cohens_table() -> None:
    # Cohen 1988, table 2.4.1: two groups, d = 0.5, two-sided at 5 %, power 0.80 takes 64 in each.
    assert power(0.5, 63, 2) < 0.8 <= power(0.5, 64, 2)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("level", [0.05, 0.05 / 45])
def test_power_rises_with_the_runs_whatever_the_effect(groups: int, level: float) -> None:
    for effect in np.geomspace(0.01, 100, 40):
        found = [power(float(effect), int(n), groups, level) for n in np.geomspace(2, 1000, 20)]
        assert found[0] > level and found[-1] <= 1  # NaN is neither
        assert all(fewer <= more for fewer, more in pairwise(found))


@pytest.mark.parametrize("effect", [0.2, 0.5, 0.8, 1.1, 1.4, 2.0])
@pytest.mark.parametrize("paired", [True, False])
def test_further_seeds_agree_with_the_normal_formula(effect: float, paired: bool) -> None:
    # (z of 97.5 % + z of 80 %)² / d² pairs, or twice as many in each of two groups; the t distribution asks for the
    # few more that Guenther 1981 adds: z² / 2 for pairs, z² / 4 for each group.
    shape = np.array([-1.0, 0.0, 1.0])  # standard deviation 1
    one, other = by_seed(shape + effect), by_seed(shape if not paired else np.zeros(3), 0 if paired else 10)
    found = difference(one, other)
    assert found is not None and found.p is not None and found.p > 0.05 and found.further is not None
    z = 1.959964
    expected = (z + 0.841621) ** 2 / effect**2 * (1 if paired else 2) + z**2 / (2 if paired else 4)
    assert 3 + found.further == pytest.approx(expected, abs=1.5)


def test_further_seeds_are_those_that_the_power_asks_for() -> None:
    one = difference(by_seed(np.array([0.90, 0.93, 0.91])), by_seed(np.array([0.91, 0.905, 0.90]), 10))
    assert one is not None and one.p is not None and one.p > 0.05 and one.further is not None
    sd = math.sqrt((np.var([0.90, 0.93, 0.91], ddof=1) + np.var([0.91, 0.905, 0.90], ddof=1)) / 2)
    needed = 3 + one.further
    assert power(abs(one.value) / sd, needed - 1, 2) < 0.8 <= power(abs(one.value) / sd, needed, 2)
    assert difference(by_seed(np.array([0.9, 0.92])), by_seed(np.array([0.92, 0.9]), 5)).further is None  # type: ignore[union-attr]
    settled = difference(by_seed(np.array([0.9, 0.91, 0.92])), by_seed(np.array([0.7, 0.71, 0.72]), 5))
    assert settled is not None and settled.further == 0
