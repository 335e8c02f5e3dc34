"""People dealt out whole, so that whoever is tested was never trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.draws import permutation
from cnnexp.errors import InputError

SHARES: Mapping[SplitName, float] = {"val": 0.15, "test": 0.15}
"""Of the people with two pictures or more; the others train. A test of a tenth of few people would have few pairs."""
LEAST = 2
"""People with two pictures or more in each split: one alone makes no pair of two people."""
# Any constant would do; it must never change, or the splits of recorded runs are others.
_PEOPLE_KEY = 20_150_317


def deal_people(pictures: Mapping[str, int], splits: Sequence[SplitName], where: str) -> dict[SplitName, list[str]]:
    """Who is taken out of the training for other splits; a function of the names and of who has two pictures.

    Args:
        pictures: of each person, how many. splits: that are to be filled. where: the people are, for the error.

    Raises:
        InputError: there are fewer people with two pictures than ``LEAST`` for each split and the training.
    """
    paired = sorted(name for name, count in pictures.items() if count > 1)
    needed = LEAST * (1 + len(splits))
    if splits and len(paired) < needed:
        raise InputError(
            f"{where}: {len(paired)} people with two pictures or more; it takes {needed}, {LEAST} in each of "
            f"{', '.join(['train', *splits])}: of one person there is no pair of two"
        )
    order = _in_order(paired)
    dealt: dict[SplitName, list[str]] = {}
    for split in splits:
        count = max(LEAST, round(SHARES[split] * len(paired)))
        dealt[split], order = sorted(order[:count]), order[count:]
    return dealt


def fold_people(people: Sequence[str], folds: int, fold: int) -> dict[SplitName, NDArray[np.int64]]:
    """Positions of train, val and test, each ascending, for a cross-validation: everybody is in one test.

    Args:
        people: whose each sample is, (N,). folds: how many. fold: from 0, the one that is tested.

    Raises:
        InputError: there is no such fold, or a split of some fold would have fewer than ``LEAST`` people.
    """
    order = _in_order(sorted(set(people)))
    held = max(LEAST, round(SHARES["val"] * len(order)))
    left = len(order) - -(-len(order) // max(folds, 1)) - held
    if folds < 2 or len(order) // folds < LEAST or left < LEAST:
        raise InputError(
            f"data.split.folds={folds}: {len(order)} identities; it takes 2 folds or more, and {LEAST} identities at "
            "least in each of train, val and test"
        )
    if not 0 <= fold < folds:
        raise InputError(f"data.split.fold={fold}: must be from 0 to {folds - 1}, as data.split.folds={folds}")
    tested = set(order[fold::folds])
    others = [name for name in order if name not in tested]
    split_of: dict[str, SplitName] = {name: "val" if place < held else "train" for place, name in enumerate(others)}
    found = [split_of.get(name, "test") for name in people]
    return {split: np.array([place for place, one in enumerate(found) if one == split], np.int64) for split in SPLITS}


def _in_order(names: Sequence[str]) -> list[str]:
    """Sorted names in an order that tells nothing, and is the same every time."""
    return [names[place] for place in permutation(len(names), _PEOPLE_KEY)]
