"""Splits whose classes have the numbers by which a net knows them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cnnexp.answers.base import Answer
from cnnexp.data.base import FileSplit, Positions, Split


class Renumbering:
    """Batches or samples → the same with other numbers for their classes. Picklable: loader workers get a copy.

    Args:
        answer: the truth whose classes are meant. numbers: the new number of each.
    """

    def __init__(self, answer: Answer, numbers: Sequence[int]) -> None:
        self.answer, self.numbers = answer, torch.tensor(numbers, dtype=torch.int64)

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return batch | self.answer.renumbered(batch, self.numbers)

    def split(self, split: Split) -> Split:
        """A split with the new numbers, in memory or on disk as it was."""
        if not isinstance(split, FileSplit):
            return RenumberedSplit(split, self)
        changed = _Sample(split, self)
        return FileSplit(changed, len(split), fills=split.fills, names=split.names, labels=self.labels(split))

    def labels(self, split: Split) -> Tensor | None:
        """The label of every sample, where they have one; with the new numbers where those are of labels."""
        labels = split.labels_for_strata()
        return labels if labels is None or "label" not in self.answer.keys else self({"label": labels})["label"]


class RenumberedSplit:
    """A split in memory, whose batches get the new numbers."""

    def __init__(self, split: Split, renumber: Renumbering) -> None:
        self.renumber, self._split, self.names = renumber, split, split.names

    def __len__(self) -> int:
        return len(self._split)

    def batch(self, positions: Positions) -> dict[str, Tensor]:
        return self.renumber(self._split.batch(positions))

    def labels_for_strata(self) -> Tensor | None:
        return self.renumber.labels(self._split)

    def lengths(self) -> Tensor | None:
        return self._split.lengths()


class _Sample:
    """Position → sample."""

    def __init__(self, split: FileSplit, renumber: Renumbering) -> None:
        self._split, self._renumber = split, renumber

    def __call__(self, position: int) -> dict[str, Tensor]:
        return self._renumber(self._split[position])
