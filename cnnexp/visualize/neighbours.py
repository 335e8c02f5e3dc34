"""Nearest neighbours by Euclidean distance: in pixels, or in what a net makes of them.

How often the nearest other sample is of the same class says whether a space is one in which classes lie together
(Cover and Hart 1967, "Nearest neighbor pattern classification").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]
_COLUMNS = 4096
"""That many numbers of each sample are taken in double precision at a time."""


def distances(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> Array:
    """Euclidean distances (Q, N) of rows (Q, D) from rows (N, D).

    By |q|² + |g|² − 2 q·g, in double precision and around the gallery's mean, so that little cancels.
    """
    squares = np.zeros((len(queries), len(gallery)))
    for start in range(0, gallery.shape[1], _COLUMNS):
        part = gallery[:, start : start + _COLUMNS].astype(np.float64)
        middle = part.mean(0)
        part -= middle
        asked = queries[:, start : start + _COLUMNS].astype(np.float64) - middle
        squares += np.square(asked).sum(1)[:, None] + np.square(part).sum(1) - 2 * asked @ part.T
    found: Array = np.sqrt(squares.clip(min=0))
    return found


def directions(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (N, D) of length 1, whose Euclidean distances order them as cosines do: d² = 2 − 2 cos."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    found: NDArray[np.float32] = (rows / np.where(length > 0, length, 1)).astype(np.float32)
    return found


def nearest(apart: Array, own: Places, count: int) -> Places:
    """The places (Q, count) of the nearest, nearest first; of equal distances the lower place.

    Args:
        apart: distances (Q, N). own: (Q,), the place of each query itself, which is left out, or -1. count: at most
            this many; fewer where there are no more others.
    """
    others = apart.shape[1] - int((own >= 0).any())
    return np.argsort(_without(apart, own), axis=1, kind="stable")[:, : min(count, others)]


def agreement(apart: Array, labels: Places) -> float:
    """Part of the samples whose nearest other one has their class.

    Args:
        apart: distances (N, N) of all from all. labels: (N,).
    """
    first = nearest(apart, np.arange(len(labels)), 1)[:, 0]
    return float(np.mean(labels[first] == labels))


def by_chance(labels: Places) -> float:
    """The same of another one that is drawn."""
    counts = np.bincount(labels)
    return float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))


def _without(apart: Array, own: Places) -> Array:
    found = apart.copy()
    rows = np.flatnonzero(own >= 0)
    found[rows, own[rows]] = np.inf
    return found
