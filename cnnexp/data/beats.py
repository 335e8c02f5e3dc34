"""Annotated heartbeats in a long recording: cut out one by one, or a class for every so many samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cut_beats(
    signal: NDArray[np.float32], positions: NDArray[np.int64], before: int, length: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Windows around annotated samples: ``before`` samples, the annotated one, and what follows up to ``length``.

    Args:
        signal: (C, L). positions: of the annotations, (n,).

    Returns:
        Windows (m, C, length), and which annotations they belong to (m,): those whose window lies in the recording.
    """
    starts = positions - before
    kept = np.flatnonzero((starts >= 0) & (starts + length <= signal.shape[1]))
    samples = starts[kept, None] + np.arange(length)
    return signal[:, samples].transpose(1, 0, 2), kept


def cut_stretches(signal: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """The recording in stretches (m, C, length), one after another from its start; a rest at the end is left out."""
    count = signal.shape[1] // length
    return signal[:, : count * length].reshape(len(signal), count, length).transpose(1, 0, 2)


def classes_along(positions: NDArray[np.int64], labels: NDArray[np.int64], every: int, count: int) -> NDArray[np.int64]:
    """A class for each of the first ``count`` windows of ``every`` samples, (count,).

    It is the largest label among the beats annotated within the window, so that an unusual beat is not hidden by a
    usual one where classes stand from the usual to the rare. A window without a beat has the label of the last beat
    before it, and before the first beat, that of the first.

    Args:
        positions: of the annotations, ascending, (n,) with n >= 1. labels: theirs, (n,).
    """
    last_before = np.searchsorted(positions, np.arange(count) * every) - 1
    along = labels[np.maximum(last_before, 0)]
    windows = positions // every
    inside = windows < count
    occupied = np.full(count, -1, dtype=np.int64)
    np.maximum.at(occupied, windows[inside], labels[inside])
    return np.where(occupied >= 0, occupied, along)
