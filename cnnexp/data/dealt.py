"""Any data set with its splits dealt out by the names of their samples."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from cnnexp.data.base import SPLITS, DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.folded import Joined
from cnnexp.data.wrapping import Wrapping

Place = tuple[SplitName, int]


class Dealt(Wrapping):
    """The samples of a data set that are named, in the splits and the order that they are named in.

    Args:
        names: all of them are there (see ``DataSet.dealt``).
    """

    def __init__(self, dataset: DataSet, names: Mapping[SplitName, Sequence[str]]) -> None:
        super().__init__(dataset)
        self.names = names

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        begins = dict(zip(SPLITS, np.cumsum([0, *(len(one) for one in self._whole.splits)]).tolist(), strict=False))
        there = {one: list(part.names or ()) for one, part in zip(SPLITS, self._whole.splits, strict=True)}
        found = find_places(self.names, there)[split]
        return self._whole.part(np.array([begins[own] + position for own, position in found], dtype=np.int64))

    @cached_property
    def _whole(self) -> Joined:
        return Joined([self.dataset.load(name) for name in SPLITS])


def find_places(
    names: Mapping[SplitName, Sequence[str]], there: Mapping[SplitName, Sequence[str]]
) -> dict[SplitName, list[Place]]:
    """Where samples are, by name: in their own split, else in another; those that are nowhere are left out.

    Args:
        names: that are looked for. there: of all samples, by split. Where a split has a name several times, they are
            taken in order.
    """
    waiting = {split: _by_name(listed) for split, listed in there.items()}
    found: dict[SplitName, list[Place]] = {}
    for split, wanted in names.items():
        left = {own: {name: deque(places) for name, places in known.items()} for own, known in waiting.items()}
        order = [split, *(own for own in there if own != split)]
        found[split] = []
        for name in wanted:
            own = next((one for one in order if left.get(one, {}).get(name)), None)
            if own is not None:
                found[split].append((own, left[own][name].popleft()))
    return found


def _by_name(names: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(names):
        found[name].append(position)
    return found
