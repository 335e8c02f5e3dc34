"""Any data set, held to having no group in two of its splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnnexp.data.base import DataSet, Origin, Split, SplitName
from cnnexp.data.groups import groups_of, refuse_shared
from cnnexp.data.wrapping import Wrapping


class Apart(Wrapping):
    """A data set as it is, whose samples are looked at when it is prepared: no group may stand in two splits.

    Sets that divide themselves go by ``dataset.group``; those that come divided cannot, and are refused.
    """

    def __init__(self, dataset: DataSet) -> None:
        super().__init__(dataset)
        self._splits: dict[SplitName, Split] = {}

    def prepare(self) -> None:
        self.dataset.prepare()
        word = self.dataset.group
        assert word is not None
        own = self.dataset.distinct()
        groups = {name: groups_of(word, self.load(name).names, self.dataset.columns(name)) for name in own}
        refuse_shared(groups, word)

    def origins(self, split: SplitName) -> Sequence[Origin] | None:
        return self.dataset.origins(split)

    def dealt(self, names: Mapping[SplitName, Sequence[str]]) -> DataSet | None:
        return self.dataset.dealt(names)

    def load(self, split: SplitName) -> Split:
        if split not in self._splits:
            self._splits[split] = self.dataset.load(split)
        return self._splits[split]
