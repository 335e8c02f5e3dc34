"""Splits that are fixed for good: stratified, and the same for every seed of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.data.groups import deal_groups
from cnnexp.draws import permutation

# Any constant would do; it must never change, or every recorded validation score changes its meaning.
_SPLIT_KEY = 20_120_401

SHARES: Mapping[SplitName, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
"""How a user's folder without split folders is divided."""


def hold_out(
    labels: Sequence[int] | NDArray[np.integer], count: int, groups: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions to keep and positions held out, both ascending; every class gives its share of ``count``.

    With ``groups``, one for each sample, whole groups are held out: about ``count`` samples.
    """
    label = np.asarray(labels)
    if groups is not None:
        part = deal_groups(label, groups, [1 - count / len(label), count / len(label)])
        return np.flatnonzero(part == 0), np.flatnonzero(part == 1)
    held = np.sort(_interleaved(label)[:count])
    return np.setdiff1d(np.arange(len(label)), held), held


def divide(
    labels: Sequence[int] | NDArray[np.integer], groups: Sequence[str] | None = None
) -> dict[SplitName, NDArray[np.int64]]:
    """Positions of train, val and test in the shares of ``SHARES``, stratified by label, each ascending.

    A class of one or two samples is for training only. With ``groups``, one for each sample, no group is in two splits,
    and shares and classes come out as well as that allows.
    """
    label = np.asarray(labels)
    if groups is not None:
        part = deal_groups(label, groups, [SHARES[split] for split in SPLITS])
        return {split: np.flatnonzero(part == number) for number, split in enumerate(SPLITS)}
    parts: dict[SplitName, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for value in np.unique(label):
        members = _shuffled_members(label, value)
        for split, part in zip(SPLITS, np.split(members, _ends(len(members))), strict=True):
            parts[split].append(part)
    return {split: np.sort(np.concatenate(part)) if part else np.empty(0, np.int64) for split, part in parts.items()}


def _ends(count: int) -> list[int]:
    """Where train and val end among ``count`` samples of a class: val and test get one each if there are three."""
    val, test = (max(round(count * SHARES[split]), int(count >= 3)) for split in SPLITS[1:])
    return [count - val - test, count - test]


def _interleaved(label: NDArray[np.integer]) -> NDArray[np.int64]:
    """All positions, ordered so that every prefix holds the classes in their proportions."""
    rank = np.empty(len(label), dtype=np.float64)
    for value in np.unique(label):
        members = _shuffled_members(label, value)
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.lexsort((label, rank))


def _shuffled_members(label: NDArray[np.integer], value: int) -> NDArray[np.int64]:
    members = np.flatnonzero(label == value)
    return members[permutation(len(members), _SPLIT_KEY, int(value))]
