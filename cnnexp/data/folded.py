"""Any data set with its splits dealt out anew, for cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.boxes import Boxes
from cnnexp.data.base import DataSet, FileSplit, Origin, Split, SplitName, TensorSplit
from cnnexp.data.class_names import ranks
from cnnexp.data.folds import fold_positions
from cnnexp.data.groups import groups_of
from cnnexp.data.identities import fold_people
from cnnexp.data.wrapping import Wrapping
from cnnexp.errors import InputError


class Folded(Wrapping):
    """All samples of a data set in folds, stratified where they have labels; the fold of this number is the test.

    Classes of an open set are dealt out whole.

    Args:
        dataset: whose train, val and test are put together, in this order, each sample once. What its ``group`` names
            stays in one split.
        folds: how many. fold: from 0.

    Raises:
        InputError: no fold is named.
    """

    def __init__(self, dataset: DataSet, folds: int, fold: int | None) -> None:
        if fold is None:
            raise InputError(f"data.split.folds={folds}: which of them is the test? add data.split.fold=0")
        super().__init__(dataset)
        self.folds, self.fold = folds, fold

    def dealt(self, names: Mapping[SplitName, Sequence[str]]) -> DataSet | None:
        return self.dataset.dealt(names)

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        return self._whole.part(self._positions[split])

    @cached_property
    def _whole(self) -> Joined:
        return Joined([self.dataset.load(name) for name in self.dataset.distinct()])

    @cached_property
    def _positions(self) -> dict[SplitName, NDArray[np.int64]]:
        labels, names = self._whole.labels, self.dataset.class_names()
        if self.dataset.open_set and labels is not None:
            whose = self._groups() or [names[one] if names else str(one) for one in labels.tolist()]
            return fold_people(whose, self.folds, self.fold)
        if labels is not None and names is not None:  # so that the order of the classes moves no sample
            labels = torch.tensor(ranks(names))[labels]
        of_sample = None if labels is None else labels.numpy()
        return fold_positions(of_sample, len(self._whole), self.folds, self.fold, self._groups())

    def _groups(self) -> list[str] | None:
        word = self.dataset.group
        if word is None:
            return None
        parts = [self.dataset.columns(split) for split in self.dataset.distinct()]
        columns = {key: [value for part in parts for value in part[key]] for key in parts[0]}
        return groups_of(word, self._whole.names, columns)


class Joined:
    """Several splits one after another."""

    def __init__(self, splits: Sequence[Split]) -> None:
        self.splits = list(splits)
        self._ends = np.cumsum([len(one) for one in splits])
        named = [one.names for one in splits]
        self.names = None if None in named else [name for names in named for name in names or ()]
        read = [origins_of(one) for one in splits]
        self.origins = None if None in read else [origin for origins in read for origin in origins or ()]
        labels = [one.labels_for_strata() for one in splits]
        self.labels = (
            None if any(one is None for one in labels) else torch.cat([one for one in labels if one is not None])
        )

    def __len__(self) -> int:
        return int(self._ends[-1])

    def part(self, positions: NDArray[np.int64]) -> TensorSplit | FileSplit:
        """The samples at these positions: in memory where all are, else each read when it is asked for."""
        names = None if self.names is None else [self.names[place] for place in positions]
        origins = None if self.origins is None else [self.origins[place] for place in positions]
        chosen, fills = torch.from_numpy(positions), _fills(self.splits)
        held = _in_memory(self.splits)
        if held is not None:
            tensors, ragged = held
            picked = {key: value.index_select(0, chosen) for key, value in tensors.items()}
            of_each = {key: [values[place] for place in positions] for key, values in ragged.items()}
            return TensorSplit(picked, ragged=of_each, fills=fills, names=names, origins=origins)
        labels = None if self.labels is None else self.labels[chosen]
        decode = Picked(self, positions)
        return FileSplit(decode, len(positions), fills=fills, names=names, labels=labels, origins=origins)

    def sample(self, position: int) -> dict[str, Tensor]:
        """One sample, without an index."""
        place = int(np.searchsorted(self._ends, position, side="right"))
        begin = int(self._ends[place]) - len(self.splits[place])
        one = self.splits[place].batch([position - begin])
        return {name: value[0] for name, value in one.items() if name != "index"}


def origins_of(split: Split) -> Sequence[Origin] | None:
    """What the samples of a split are read from, one each; None where it does not say."""
    return split.origins if isinstance(split, (TensorSplit, FileSplit)) else None


class Picked:
    """Position in a part → sample; picklable, so that loader workers can hold it."""

    def __init__(self, whole: Joined, positions: NDArray[np.int64]) -> None:
        self._whole, self._positions = whole, positions

    def __call__(self, position: int) -> dict[str, Tensor]:
        return self._whole.sample(int(self._positions[position]))


def _in_memory(splits: Sequence[Split]) -> tuple[dict[str, Tensor], dict[str, list[Tensor]]] | None:
    """The tensors of splits that are all in memory and of one shape (not boxes, of which each split has its most), and
    those of which each sample has its own length."""
    held = [one for one in splits if isinstance(one, TensorSplit) and one.transform is None]
    if len(held) < len(splits):
        return None
    shapes = {tuple((key, tuple(value.shape[1:])) for key, value in one.tensors.items()) for one in held}
    if len(shapes) > 1 or len({tuple(one.ragged) for one in held}) > 1:
        return None
    tensors = {key: torch.cat([one.tensors[key] for one in held]) for key in held[0].tensors}
    return tensors, {key: [value for one in held for value in one.ragged[key]] for key in held[0].ragged}


def _fills(splits: Sequence[Split]) -> dict[str, float]:
    """For the keys of which samples, or whole splits, have different numbers: what shorter ones are filled up with."""
    found: dict[str, float] = dict(Boxes.fills)
    for one in splits:
        if isinstance(one, TensorSplit):
            found |= {key: one.fills.get(key, 0) for key in one.ragged}
        elif isinstance(one, FileSplit):
            found |= one.fills
    return found
