"""Which training samples take part: all of them, a fixed part, or a few of each class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.base import Split
from cnnexp.data.fixed_splits import hold_out
from cnnexp.draws import permutation, uniform
from cnnexp.errors import InputError

_FRACTION_KEY = 0xF4A
_FEW_KEY = 0xFE3


@dataclass(frozen=True)
class Part:
    """How much of a training split a run learns from.

    Attributes:
        fraction: in (0, 1]; the same part for every seed, stratified where samples have labels, and a larger part
            holds the smaller ones.
        per_class: so many samples of each class, others for each seed, and more hold the fewer; None for all.
    """

    fraction: float = 1.0
    per_class: int | None = None

    def positions(self, split: Split, seed: int) -> NDArray[np.int64]:
        """The samples that take part, int64 and ascending.

        Raises:
            InputError: samples have no labels to count by, or a class has fewer.
        """
        if self.per_class is not None:
            return self._few(split, self.per_class, seed)
        if self.fraction >= 1.0:
            return np.arange(len(split))
        count = max(1, round(self.fraction * len(split)))
        labels = split.labels_for_strata()
        if labels is None:
            return np.sort(permutation(len(split), _FRACTION_KEY)[:count])
        return hold_out(labels.numpy(), count)[1]

    def _few(self, split: Split, per_class: int, seed: int) -> NDArray[np.int64]:
        if self.fraction < 1.0:
            raise InputError(
                f"data.labels_per_class={per_class} and data.fraction={self.fraction:g}: both say how many training "
                "samples take part; leave one out"
            )
        known = split.labels_for_strata()
        if known is None:
            raise InputError(f"data.labels_per_class={per_class}: samples have no classes here; take data.fraction")
        labels = known.numpy()
        classes, counts = np.unique(labels, return_counts=True)
        if counts.min() < per_class:
            raise InputError(
                f"data.labels_per_class={per_class}: class {classes[counts.argmin()]} has {counts.min()} training "
                f"samples; take at most {counts.min()}"
            )
        place = uniform(_FEW_KEY, seed, np.arange(len(labels)))
        chosen = [
            members[np.argsort(place[members], kind="stable")[:per_class]] for members in _members(labels, classes)
        ]
        return np.sort(np.concatenate(chosen))


def _members(labels: NDArray[np.integer], classes: NDArray[np.integer]) -> list[NDArray[np.int64]]:
    return [np.flatnonzero(labels == value) for value in classes]
