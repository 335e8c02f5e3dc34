"""Are two samples of one identity? How well similarities of pairs tell it, at one threshold and at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnexp.draws import uniform

Array = NDArray[np.float64]

MOST_SAMPLES = 2000
"""Of so many samples all pairs are taken; of more, as many pairs of each kind are drawn as ``MOST_PAIRS``."""
MOST_PAIRS = 1_000_000
_SAME_KEY, _DIFFERENT_KEY = 0x5A3E, 0xD1FF
_AT_ONCE = 1024


@dataclass(frozen=True)
class Pairs:
    """Similarities of pairs of samples, ascending.

    Attributes:
        same: of pairs of one identity. different: of two identities.
    """

    same: Array
    different: Array

    def false_accepts(self, threshold: float) -> float:
        """The part of pairs of two identities that are at least as similar as the threshold; NaN without any."""
        return _part(len(self.different) - int(np.searchsorted(self.different, threshold)), len(self.different))

    def false_rejects(self, threshold: float) -> float:
        """The part of pairs of one identity that are less similar than the threshold; NaN without any."""
        return _part(int(np.searchsorted(self.same, threshold)), len(self.same))

    def accuracy(self, threshold: float) -> float:
        """The part of pairs that is judged rightly, were there as many of both kinds."""
        return 1 - (self.false_accepts(threshold) + self.false_rejects(threshold)) / 2

    @property
    def auc(self) -> float:
        """The area under the ROC curve: how often a pair of one identity is more similar than one of two, equal
        similarities counting half (Hanley and McNeil 1982)."""
        if not len(self.same) or not len(self.different):
            return math.nan
        below = np.searchsorted(self.different, self.same, "left").astype(np.float64)
        through = np.searchsorted(self.different, self.same, "right")
        return float((below + through).sum() / (2 * len(self.same) * len(self.different)))


@dataclass(frozen=True)
class Roc:
    """The ROC curve: at each threshold, from the highest on, what is accepted.

    Attributes:
        threshold: falling; the first is above all similarities. false_accepts, true_accepts: parts, rising from 0 to 1.
    """

    threshold: Array
    false_accepts: Array
    true_accepts: Array

    @property
    def equal_error(self) -> float:
        """The rate at which as large a part of pairs of two identities is accepted as of one identity is refused, on
        the straight lines between the curve's points."""
        difference = self.false_accepts + self.true_accepts - 1
        after = int(np.argmax(difference >= 0))
        if not after:
            return float(self.false_accepts[0])
        low, high = -difference[after - 1], difference[after]
        part = low / (low + high)
        return float(self.false_accepts[after - 1] * (1 - part) + self.false_accepts[after] * part)

    def most_accurate(self) -> float:
        """The threshold with the best ``Pairs.accuracy``, in the middle of the similarities that have it; of several
        the highest."""
        return self._below(int(np.argmax(self.true_accepts - self.false_accepts)))

    def accepting_falsely(self, part: float) -> float:
        """The lowest threshold at which no larger part of pairs of two identities is accepted."""
        return self._below(int(np.flatnonzero(self.false_accepts <= part)[-1]))

    def _below(self, place: int) -> float:
        """Half way to the next lower similarity, so that the pairs at this place are accepted and no others."""
        if place + 1 == len(self.threshold):
            return float(self.threshold[place])
        if place == 0:
            return float(np.nextafter(self.threshold[1], math.inf))
        return float((self.threshold[place] + self.threshold[place + 1]) / 2)


def roc_of(pairs: Pairs) -> Roc:
    """The curve of pairs, of which there is one of each kind at least; a point for each similarity that occurs."""
    found = np.unique(np.concatenate([pairs.same, pairs.different]))[::-1]
    threshold = np.concatenate([[np.inf], found])
    rates = [
        1 - np.searchsorted(one, threshold, "left") / len(one) if len(one) else np.full(len(threshold), np.nan)
        for one in (pairs.different, pairs.same)
    ]
    return Roc(threshold, *rates)


def pairs_of(embeddings: NDArray[np.floating], identities: NDArray[np.integer]) -> Pairs:
    """Cosine similarities of pairs of samples: of all, or of as many as are drawn, the same ones each time.

    Args:
        embeddings: (N, d), of length 1. identities: (N,).
    """
    same, different = places_of_pairs(identities)
    rows = np.asarray(embeddings, np.float64)
    return Pairs(np.sort(similarities(rows, *same)), np.sort(similarities(rows, *different)))


Places = tuple[NDArray[np.int64], NDArray[np.int64]]


def places_of_pairs(identities: NDArray[np.integer]) -> tuple[Places, Places]:
    """The two samples of each pair of one identity, and of each pair of two."""
    if len(identities) > MOST_SAMPLES:
        return _drawn_same(identities), _drawn_different(identities)
    first, second = np.triu_indices(len(identities), 1)
    alike = identities[first] == identities[second]
    return (first[alike], second[alike]), (first[~alike], second[~alike])


def similarities(rows: Array, first: NDArray[np.int64], second: NDArray[np.int64]) -> Array:
    """a·b of each pair, (P,)."""
    parts = [
        (rows[one] * rows[other]).sum(1)
        for one, other in zip(_cut(first, 16 * _AT_ONCE), _cut(second, 16 * _AT_ONCE), strict=True)
    ]
    return np.concatenate([np.empty(0), *parts])


def nearest_others(embeddings: NDArray[np.floating]) -> NDArray[np.int64]:
    """For each of at least two samples the place of the most similar other one, (N,)."""
    rows, found = np.asarray(embeddings, np.float64), []
    for places in _cut(np.arange(len(rows)), _AT_ONCE):
        similar = rows[places] @ rows.T
        similar[np.arange(len(places)), places] = -np.inf
        found.append(similar.argmax(1))
    return np.concatenate(found)


def recall_at_1(embeddings: NDArray[np.floating], identities: NDArray[np.integer]) -> float:
    """How often the most similar other sample is of the same identity, over samples of which there is another one."""
    _, inverse, counts = np.unique(identities, return_inverse=True, return_counts=True)
    findable = counts[inverse] > 1
    if not findable.any():
        return math.nan
    hits = identities[nearest_others(embeddings)] == identities
    return float(hits[findable].mean())


def _drawn_same(identities: NDArray[np.integer]) -> Places:
    """Pairs of one identity, each as likely as any other."""
    order = np.argsort(identities, kind="stable")
    _, start, count = np.unique(identities[order], return_index=True, return_counts=True)
    ends = np.cumsum(count * (count - 1))
    if ends[-1] == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    drawn = (uniform(_SAME_KEY, np.arange(MOST_PAIRS)) * ends[-1]).astype(np.int64)
    of = np.searchsorted(ends, drawn, "right")
    within = drawn - (ends - count * (count - 1))[of]
    first, step = within // (count[of] - 1), within % (count[of] - 1) + 1
    return order[start[of] + first], order[start[of] + (first + step) % count[of]]


def _drawn_different(identities: NDArray[np.integer]) -> Places:
    """Pairs of any two samples, less those of one identity."""
    first, second = (
        (uniform(_DIFFERENT_KEY, side, np.arange(MOST_PAIRS)) * len(identities)).astype(np.int64) for side in (0, 1)
    )
    apart = identities[first] != identities[second]
    return first[apart], second[apart]


def _cut(places: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    return (places[begin : begin + size] for begin in range(0, len(places), size))


def _part(count: int, of: int) -> float:
    return count / of if of else math.nan
