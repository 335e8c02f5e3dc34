"""Cross-validation: a data set dealt out into folds, each of which is the test split once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.base import SplitName
from cnnexp.data.fixed_splits import SHARES, hold_out
from cnnexp.data.groups import deal_groups
from cnnexp.draws import permutation
from cnnexp.errors import InputError

# Any constant would do; it must never change, or the folds of recorded runs are others.
_FOLD_KEY = 20_190_102


def fold_positions(
    labels: Sequence[int] | NDArray[np.integer] | None,
    count: int,
    folds: int,
    fold: int,
    groups: Sequence[str] | None = None,
) -> dict[SplitName, NDArray[np.int64]]:
    """Positions of train, val and test, each ascending, where fold number ``fold`` is the test split.

    Every sample is in the test split of exactly one fold. The folds, and the classes within them, differ by one sample
    at most. A tenth of the samples is held out of the other folds for validation, stratified too. All of it is a
    function of the arguments alone.

    Args:
        labels: the class of every sample, (N,); None deals the samples out regardless.
        count: number of samples N.
        folds: from 2 to N.
        fold: from 0 to folds - 1.
        groups: of every sample, N; no group is in two folds, nor in training and validation. Sizes and classes of the
            folds then differ as little as that allows.

    Raises:
        InputError: there is no such fold, there are fewer groups than folds, or nothing would be left to train with.
    """
    held = max(1, round(count * SHARES["val"]))
    _refuse(count, folds, fold, held)
    label = np.zeros(count, dtype=np.int64) if labels is None else np.asarray(labels)
    of_sample = fold_numbers(label, folds) if groups is None else deal_groups(label, groups, [1 / folds] * folds)
    others = np.flatnonzero(of_sample != fold)
    train, val = hold_out(label[others], held, None if groups is None else [groups[int(place)] for place in others])
    return {"train": others[train], "val": others[val], "test": np.flatnonzero(of_sample == fold)}


def fold_numbers(label: NDArray[np.integer], folds: int) -> NDArray[np.int64]:
    """The number of the fold that each sample is in: class by class, in a fixed random order, one after another."""
    members = [np.flatnonzero(label == value) for value in np.unique(label)]
    order = [own[permutation(len(own), _FOLD_KEY, number)] for number, own in enumerate(members)]
    of_sample = np.empty(len(label), dtype=np.int64)
    of_sample[np.concatenate(order)] = np.arange(len(label)) % folds
    return of_sample


def _refuse(count: int, folds: int, fold: int, held: int) -> None:
    if not 2 <= folds <= count:
        raise InputError(f"data.split.folds={folds}: must be from 2 to {count}, the number of samples")
    if not 0 <= fold < folds:
        raise InputError(f"data.split.fold={fold}: must be from 0 to {folds - 1}, as data.split.folds={folds}")
    if count - -(-count // folds) - held < 1:
        raise InputError(f"data.split.folds={folds}: of {count} samples none would be left to train with")
