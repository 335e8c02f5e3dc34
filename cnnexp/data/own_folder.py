"""What all data sets that read a folder of the user's share."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from cnnexp.data.base import SPLITS, DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.class_names import checked, few, ranks, refuse_unlisted, untaught
from cnnexp.data.folders import complete_splits, existing_root, refuse_empty
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Size, pillow_mode

log = logging.getLogger(__name__)


class OwnFolder(DataSet):
    """A folder of pictures. A subclass finds its samples and names; what is not split is split by ``complete_splits``.

    Args:
        root: the folder. classes: their names in the order of their numbers; None for those that are found.
        image_size: height and width of stored pictures. channels: 1 or 3. in_memory: or ``auto``, as far as they fit.
    """

    boxed: ClassVar[bool] = False
    """Whether samples have boxes (a picture may have none)."""

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

    def listed(self) -> tuple[str, ...] | None:
        """``names``; None where the files only number the classes, so that ``classes`` may call them anything."""
        return self.names()

    def shown(self, samples: Sequence[Sample]) -> set[int]:
        """Numbers of the classes that occur in some samples."""
        return {one for sample in samples for one in (sample.label, *sample.classes) if one is not None}

    def mask_values(self) -> tuple[int, ...] | None:
        """The class of each of the 256 values of a mask file, -1 = not allowed; None where there are no masks."""
        return None

    def prepare(self) -> None:
        refuse_empty(self.folder, self.samples)

    def class_names(self) -> tuple[str, ...]:
        return self._class_names

    def refuse_untaught(self) -> None:
        names, taught = self.class_names(), self.shown(self.samples["train"])
        missing = few(untaught(names, taught))
        if missing and self.classes is not None:
            raise InputError(
                f"data.classes: no training sample in {self.folder} shows {missing}; leave it out, or add some"
            )
        for split in [one for one in SPLITS[1:] if one in self._found]:
            late = few([names[one] for one in sorted(self.shown(self.samples[split]) - taught)])
            if late:
                raise InputError(
                    f"{self.folder}: {split} shows {late}, which no training sample does; add some to train, or take "
                    f"it out of {split}"
                )
        if missing:
            log.warning("no training sample shows %s, so the net will not learn it", missing)

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
    def _class_names(self) -> tuple[str, ...]:
        if self.classes is None:
            return checked(self.names(), str(self.folder))
        there = self.listed()
        if there is not None:
            refuse_unlisted(self.classes, there, str(self.folder))
        return checked(self.classes, "data.classes")

    @cached_property
    def samples(self) -> dict[SplitName, list[Sample]]:
        """The samples of every split."""
        return complete_splits(self._found, key=lambda sample: sample.name, label=self._stratum)

    @cached_property
    def _found(self) -> Mapping[SplitName, Sequence[Sample]]:
        return self.found()

    def _stratum(self, sample: Sample) -> int:
        return 0 if sample.label is None else self._places[sample.label]

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """In the alphabet, so that the order of ``classes`` moves no picture to another split."""
        return ranks(self.class_names())
