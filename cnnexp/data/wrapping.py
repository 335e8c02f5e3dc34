"""What stands around a data set and passes on what it does not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnnexp.data.base import DataSet, SplitName
from cnnexp.data.census import Census


class Wrapping(DataSet):
    """A data set around another one; a subclass says what its splits are.

    Args:
        dataset: the other one.
    """

    def __init__(self, dataset: DataSet) -> None:
        self.dataset = dataset

    def prepare(self) -> None:
        self.dataset.prepare()

    def class_names(self) -> tuple[str, ...] | None:
        return self.dataset.class_names()

    def chosen(self) -> tuple[str, ...] | None:
        return self.dataset.chosen()

    def census(self) -> Census | None:
        return self.dataset.census()

    def columns(self, split: SplitName) -> Mapping[str, Sequence[str]]:
        return self.dataset.columns(split)

    def distinct(self) -> tuple[SplitName, ...]:
        return self.dataset.distinct()

    def refuse_untaught(self) -> None:
        self.dataset.refuse_untaught()

    def told(self) -> dict[str, Any]:
        return self.dataset.told()
