"""What repeated runs say: means with their intervals, and how sure a difference of two groups is."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
LEVEL = 1 - CONFIDENCE
POWER = 0.8
"""Chance of settling a difference of the size that was seen, for which further seeds are counted."""
MOST_SEEDS = 1000


@dataclass(frozen=True)
class Estimate:
    """The mean of repeated runs.

    Attributes:
        sd: standard deviation with n - 1; None for a single run.
        low, high: the 95 % interval of the mean by Student's t; None for a single run.
    """

    n: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """The mean of one group less that of another, and how sure it is.

    Attributes:
        method: ``paired t-test`` or ``Welch's t-test``. n: of pairs, or of the smaller group.
        low, high: the 95 % interval. p: two-sided; None where the runs do not vary at all, which no test can judge.
        effect: Cohen's d of the paired differences (d_z); or Hedges' g, in standard deviations of a group.
        further: seeds that each group would need beside its own; 0 when it is settled, None for more than MOST_SEEDS.
    """

    method: str
    n: int
    value: float
    low: float | None
    high: float | None
    p: float | None
    effect: float | None
    further: int | None


def estimate(values: Sequence[float]) -> Estimate:
    """The mean with its interval, assuming that runs scatter about it normally.

    Raises:
        ValueError: no values.
    """
    from scipy import stats

    if not values:
        raise ValueError("the mean of no runs")
    n, mean = len(values), math.fsum(values) / len(values)
    if n == 1:
        return Estimate(1, mean, None, None, None)
    sd = _sd(values)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * sd / math.sqrt(n)
    return Estimate(n, mean, sd, mean - reach, mean + reach)


def difference(
    first: Mapping[Hashable, float], second: Mapping[Hashable, float], level: float = LEVEL
) -> Difference | None:
    """The first group less the second; None where one of them has a single run, which shows no scatter.

    Groups with the same units (seeds) are compared pair by pair: what a seed does to both falls out. Others are
    compared by Welch's test, which does not ask for equal variances.

    Args:
        first, second: a value for each unit. level: of the test that further seeds shall pass.

    Source: Student 1908; Welch 1947, "The generalization of Student's problem"; Hedges 1981 for the correction of g.
    """
    if min(len(first), len(second)) < 2:
        return None
    if first.keys() == second.keys():
        return _paired([first[unit] - second[unit] for unit in first], level)
    return _welch(list(first.values()), list(second.values()), level)


def _paired(differences: Sequence[float], level: float) -> Difference:
    from scipy import stats

    n, mean, sd = len(differences), math.fsum(differences) / len(differences), _sd(differences)
    if _still(sd, differences):
        return Difference("paired t-test", n, mean, None, None, None, None, None)
    test = stats.ttest_1samp(differences, 0.0)
    interval = test.confidence_interval(CONFIDENCE)
    further = _further(abs(mean) / sd, 1, float(test.pvalue), n, level)
    return Difference(
        "paired t-test", n, mean, float(interval.low), float(interval.high), float(test.pvalue), mean / sd, further
    )


def _welch(first: Sequence[float], second: Sequence[float], level: float) -> Difference:
    from scipy import stats

    n = min(len(first), len(second))
    value = math.fsum(first) / len(first) - math.fsum(second) / len(second)
    pooled = math.sqrt((_sd(first) ** 2 + _sd(second) ** 2) / 2)
    if _still(pooled, [*first, *second]):
        return Difference("Welch's t-test", n, value, None, None, None, None, None)
    test = stats.ttest_ind(first, second, equal_var=False)
    interval = test.confidence_interval(CONFIDENCE)
    corrected = value / pooled * (1 - 3 / (4 * (len(first) + len(second)) - 9))
    further = _further(abs(value) / pooled, 2, float(test.pvalue), n, level)
    return Difference(
        "Welch's t-test", n, value, float(interval.low), float(interval.high), float(test.pvalue), corrected, further
    )


def reach_of_pairs(values: Sequence[float]) -> float:
    """How far apart two further values lie at most, nineteen times in twenty, by the scatter of at least two others."""
    from scipy import stats

    return float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * _sd(values) * math.sqrt(2)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests, raised so that all together err with the level of one.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, reached = [0.0] * len(order), 0.0
    for rank, place in enumerate(order):
        reached = max(reached, min(1.0, (len(order) - rank) * p_values[place]))
        adjusted[place] = reached
    return adjusted


def power(effect: float, n: int, groups: int, level: float = LEVEL) -> float:
    """The chance that a two-sided t-test finds an effect.

    Args:
        effect: in standard deviations, of the paired differences (groups = 1) or of each of two groups (2).
        n: pairs, or runs in each group.

    Source: Cohen 1988, "Statistical Power Analysis", section 2.5. The square of a noncentral t is a noncentral F, which
    holds both tails; SciPy's noncentral t gives NaN for the far one.
    """
    from scipy import stats

    freedom = groups * (n - 1)
    bound = stats.t.ppf(1 - level / 2, freedom)
    return float(stats.ncf.sf(bound**2, 1, freedom, effect**2 * n / groups))


def _further(effect: float, groups: int, p: float, n: int, level: float) -> int | None:
    """Seeds beside the n that there are, until the effect that was seen would be found; by halving."""
    if p <= level:
        return 0
    if effect == 0 or power(effect, MOST_SEEDS, groups, level) < POWER:
        return None
    low, high = n, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle, groups, level) >= POWER else (middle, high)
    return high - n


def _sd(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _still(sd: float, values: Sequence[float]) -> bool:
    """Whether the scatter is nothing but rounding."""
    return sd <= 1e-12 * max(abs(value) for value in values)
