"""How sure a difference of two nets is that answered the same samples: pair by pair, without a distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.draws import uniform
from cnnexp.statistics.means import CONFIDENCE

RESAMPLES = 2000
PERMUTATIONS = 1999
_KEY = 0xB007
_DRAWN_AT_ONCE = 50_000  # numbers: what stays in a processor's cache is drawn in half the time
_PERMUTED_AT_ONCE = 100


@dataclass(frozen=True)
class Gain:
    """A difference of scores, and the interval in which it lies with a confidence of 95 %."""

    value: float
    low: float
    high: float


ScoreOf = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def gains(after: NDArray[np.int64], befores: Sequence[Sequence[NDArray[np.int64]]], score_of: ScoreOf) -> list[Gain]:
    """The score of ``after`` less the mean score of the voters in each of ``befores``.

    The samples are drawn anew, with replacement, ``RESAMPLES`` times, every voter's answers to a sample together; the
    interval is between the 2.5th and the 97.5th percentile of the differences. The draws are the same each time.

    Args:
        after: (N, S), a row of counts for each sample. befores: groups of such, of the same samples.
        score_of: sums of counts (..., S) → scores (...).

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3, the percentile interval.
    """
    everyone = [after, *(one for group in befores for one in group)]
    whole = [score_of(one.sum(0, dtype=np.float64)) for one in everyone]
    drawn = [score_of(sums) for sums in resampled(everyone)]
    found, place = [], 1
    for group in befores:
        members = slice(place, place + len(group))
        place += len(group)
        value = whole[0] - np.mean(whole[members])
        found.append(_between_percentiles(float(value), drawn[0] - np.mean(drawn[members], axis=0)))
    return found


def mean_gain(differences: NDArray[np.float64]) -> Gain:
    """The mean of differences (N,), one for each sample, with its interval as for ``gains``."""
    (sums,) = resampled([differences[:, None]])
    return _between_percentiles(float(differences.mean()), sums[:, 0] / len(differences))


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value of two nets' right answers: where they disagree, each gets half, but for chance.

    Args:
        only_first, only_second: samples that one net alone got right.

    Source: McNemar 1947, in its exact form; Dietterich 1998, "Approximate Statistical Tests".
    """
    from scipy import stats

    both = only_first + only_second
    return float(stats.binomtest(only_first, both).pvalue) if both else 1.0


def permuted_signs(differences: NDArray[np.float64]) -> float:
    """The two-sided p-value of a mean of differences (N,): had both nets the same scores, each sign were a coin's.

    Source: Fisher 1935, "The Design of Experiments", section 21.
    """
    from scipy import stats

    found = stats.permutation_test(
        (differences, np.zeros_like(differences)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=_PERMUTED_AT_ONCE,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def _between_percentiles(value: float, drawn: NDArray[np.float64]) -> Gain:
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [outside, 1 - outside])
    return Gain(value, float(low), float(high))


def resampled(counts: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]]:
    """The sums (R, S) of each of the counts (N, S) over R samples of N with replacement, the same for all of them."""
    samples = len(counts[0])
    at_once = max(1, _DRAWN_AT_ONCE // samples)
    sums: list[list[NDArray[np.float64]]] = [[] for _ in counts]
    for start in range(0, RESAMPLES, at_once):
        number = np.arange(start, min(start + at_once, RESAMPLES))
        times = _times_drawn(number, samples)
        for own, one in zip(sums, counts, strict=True):
            own.append(times @ one.astype(np.float64))
    return [np.concatenate(own) for own in sums]


def _times_drawn(number: NDArray[np.int64], samples: int) -> NDArray[np.float64]:
    """How often each sample is drawn in the resamplings of these numbers, (R, N)."""
    picked = (uniform(_KEY, number[:, None], np.arange(samples)[None]) * samples).astype(np.int64)
    rows = np.arange(len(number))[:, None] * samples
    counted = np.bincount((picked + rows).ravel(), minlength=len(number) * samples)
    return counted.reshape(len(number), samples).astype(np.float64)
