"""What all data sets that read a folder of the user's share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from cnnexp.data.base import DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.dealt import find_places
from cnnexp.data.folders import complete_splits, existing_root, refuse_empty
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.inputs.picture_files import Size, pillow_mode


class OwnFolder(DataSet):
    """A folder of pictures. A subclass finds its samples and names; what is not split is split by ``complete_splits``.

    Args:
        root: the folder. classes: their names, in place of those that are found.
        image_size: height and width of stored pictures. channels: 1 or 3. in_memory: or ``auto``, as far as they fit.
    """

    boxed: ClassVar[bool] = False
    """Whether samples have boxes (a picture may have none)."""
    refuses_classes: bool = True
    """Whether a sample of a class that is none of ``classes`` is a mistake, or without a label."""

    def __init__(
        self, *, root: str | None, classes: Sequence[str] | None, image_size: Size, channels: int, in_memory: InMemory
    ) -> None:
        pillow_mode(channels)
        self.root = root
        self.classes = tuple(classes) if classes is not None else None
        self.image_size, self.channels, self.in_memory = image_size, channels, in_memory

    @abstractmethod
    def found(self) -> Mapping[SplitName, Sequence[Sample]]:
        """The samples of the splits that the folder has; train at least.

        Raises:
            InputError: the folder is laid out otherwise, or a file of it is not what it should be.
        """

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the classes, from the files.

        Raises:
            InputError: there are none.
        """

    def mask_values(self) -> tuple[int, ...] | None:
        """The class of each of the 256 values of a mask file, -1 = not allowed; None where there are no masks."""
        return None

    def prepare(self) -> None:
        refuse_empty(self.folder, self.samples)

    def class_names(self) -> tuple[str, ...]:
        if self.classes is None:
            self.classes = self.names()
        return self.classes

    def origins(self, split: SplitName) -> Sequence[Sample]:
        return self.samples[split]

    def dealt(self, names: Mapping[SplitName, Sequence[str]]) -> DataSet:
        there = {split: [sample.name for sample in samples] for split, samples in self.samples.items()}
        places = find_places(names, there)
        made = copy(self)
        made.samples = {split: [self.samples[own][i] for own, i in found] for split, found in places.items()}
        return made

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        self.prepare()
        decoder = Decoder(
            tuple(self.samples[split]),
            self.image_size,
            self.channels,
            boxed=self.boxed,
            mask_values=self.mask_values(),
        )
        return open_samples(decoder, self.in_memory)

    @property
    def folder(self) -> Path:
        """The user's folder, which is there."""
        return existing_root(self.root, type(self).__module__.rpartition(".")[2])

    @cached_property
    def samples(self) -> dict[SplitName, list[Sample]]:
        """The samples of every split."""
        return complete_splits(self.found(), key=lambda sample: sample.name, label=lambda sample: sample.label or 0)
