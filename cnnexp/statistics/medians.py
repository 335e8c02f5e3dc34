"""When a comparison is decided: an interval for a median that no distribution stands behind, and three looks at it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LOOKS = (6, 12, 24)
"""Rounds after which the interval is looked at."""

MISS = 0.05 / len(LOOKS)
"""Largest probability, at each look, that the median lies below the interval; above it, the same. Over all looks the
interval errs to one side with 5 % at most, so repeating until it decides does not make a wrong verdict likelier."""

Verdict = Literal["reached", "missed", "undecided"]


@dataclass(frozen=True)
class Interval:
    """Where a median lies; infinite where too few values say anything."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def median_interval(values: Sequence[float], miss: float = MISS) -> Interval:
    """Two of the ordered values that hold the median between them, whatever the values are drawn from.

    A value lies below the median as often as a coin shows heads, so the k-th smallest of n lies above it with
    P(Binomial(n, 1/2) < k): the sign test turned round (Thompson 1936, "On confidence ranges for the median").

    Args:
        values: independent draws. miss: of the median beyond either end, at most.
    """
    ordered = sorted(values)
    place = _place(len(ordered), miss)
    if place == 0:
        return Interval(-math.inf, math.inf)
    return Interval(ordered[place - 1], ordered[-place])


def _place(count: int, miss: float) -> int:
    """The largest k with P(Binomial(count, 1/2) < k) <= miss; 0 where there is none."""
    below, place = 0, 0
    while place < count:
        below += math.comb(count, place)
        if below > miss * 2**count:
            break
        place += 1
    return place


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def spread(values: Sequence[float]) -> float:
    """From the smallest to the largest, as a part of the median."""
    return (max(values) - min(values)) / median(values)


def verdict(interval: Interval, target: float, at_most: bool = False) -> Verdict:
    """Whether a median is at least a target (or at most), as far as its interval tells."""
    reached, missed = interval.low >= target, interval.high < target
    if at_most:
        reached, missed = interval.high <= target, interval.low > target
    return "reached" if reached else "missed" if missed else "undecided"
