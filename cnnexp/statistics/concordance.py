"""How often what is said puts two samples in the order in which they truly are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def concordance(true: NDArray[Any], said: NDArray[Any]) -> float:
    """The part of all pairs of samples of different truth that are said in their true order; said alike counts half.

    Harrell, Califf, Pryor, Lee and Rosati 1982, "Evaluating the yield of medical tests": 1 is the true order, 0.5 a
    guess. Of a truth of 0 and 1 it is the area under the ROC curve (Hanley and McNeil 1982).

    Args:
        true, said: (N,) each. In N log N steps.

    Returns:
        NaN where all samples have one truth, or a number is NaN.
    """
    true, said = np.asarray(true), np.asarray(said)
    if np.isnan(true).any() or np.isnan(said).any():
        return math.nan
    truths, ranks = (np.unique(one, return_inverse=True)[1].astype(np.int64) for one in (true, said))
    comparable = _pairs(len(true)) - _tied(truths)
    if not comparable:
        return math.nan
    alike = _tied(ranks) - _tied(truths * (ranks.max() + 1) + ranks)
    # of one truth by what is said, so that an inversion is a pair of two truths
    wrong = _inversions(ranks[np.lexsort((ranks, truths))])
    return 1 - (wrong + alike / 2) / comparable


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _tied(values: NDArray[np.int64]) -> int:
    counts = np.unique(values, return_counts=True)[1].astype(object)  # pairs of many samples go beyond 63 bits
    return int(sum(counts * (counts - 1) // 2))


def _inversions(ranks: NDArray[np.int64]) -> int:
    """Pairs i < j with ranks[i] > ranks[j] ≥ 0.

    Two numbers differ first at one bit. So for each bit, among numbers that are alike in all higher ones, every 0 has
    as many inversions as 1s stand before it.
    """
    found = 0
    for bit in reversed(range(int(ranks.max(initial=0)).bit_length())):
        higher = ranks >> (bit + 1)
        order = np.argsort(higher, kind="stable")
        ones = (ranks[order] >> bit) & 1
        before = np.cumsum(ones) - ones
        first = np.r_[True, np.diff(higher[order]) != 0]
        before -= before[np.maximum.accumulate(np.where(first, np.arange(len(ranks)), 0))]
        found += int(before[ones == 0].sum())
    return found
