"""What all data sets that read a folder of the user's share."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

from cnnexp.augmentation.motion import VOID
from cnnexp.data.base import SPLITS, DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.box_census import count_boxes
from cnnexp.data.census import PICTURES, Census
from cnnexp.data.class_names import checked, few, ranks, refuse_unlisted, untaught
from cnnexp.data.dealt import find_places
from cnnexp.data.folders import complete_splits, entered, existing_root, refuse_empty
from cnnexp.data.groups import groups_of
from cnnexp.data.reading import range_of, refuse_unnameable, unreadable_ones
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.errors import InputError
from cnnexp.inputs.mask_files import Palette
from cnnexp.inputs.picture_files import Look, Size, look_of

log = logging.getLogger(__name__)

UNREADABLE = "that cannot be decoded"


class OwnFolder(DataSet):
    """A folder of pictures. A subclass finds its samples and names; what is not split is split by ``complete_splits``.

    Args:
        root: the folder. classes: their names in the order of their numbers; None for those that are found.
        image_size: height and width of stored pictures. channels: 1, 3, or as many as the files have.
        in_memory: or ``auto``, as far as they fit.
        range: the numbers that become black and white, of files of more than 8 bits; None: 0 and the set's highest.
        background: the colour behind transparent pictures. unreadable: fail, or skip files that cannot be decoded.
        target: the truth that the task learns; of several that a folder has it is the one that is read.
    """

    refuses_classes: bool = True
    """Whether a sample of a class that is none of ``classes`` is a mistake, or without a label."""

    kind: ClassVar[str] = PICTURES
    """What its samples are called in the census."""

    of_samples: ClassVar[tuple[str, ...]] = ("look",)
    """What is told by all samples together."""

    def __init__(
        self,
        *,
        root: str | None,
        classes: Sequence[str] | None,
        image_size: Size,
        channels: int,
        in_memory: InMemory,
        range: tuple[float, float] | None = None,
        background: str | None = None,
        unreadable: str = "fail",
        target: str | None = None,
    ) -> None:
        self.root, self.target = root, target
        self.classes = tuple(classes) if classes is not None else None
        self.image_size, self.channels, self.in_memory = image_size, channels, in_memory
        self.counted = Census(self.kind)
        self.range, self.background, self.unreadable = range, background, unreadable

    @abstractmethod
    def found(self) -> Mapping[SplitName, Sequence[Sample]]:
        """The samples of the splits that the folder has; train at least. What is left out is entered in ``counted``.

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
        found = {one for sample in samples for one in (sample.label, *sample.classes) if one is not None}
        masks = [] if self.instanced else [sample.drawn for sample in samples if sample.drawn is not None]
        drawn = {region.value for one in masks for region in one.regions}
        background = {0} if masks else set()
        return found | background | (drawn - {VOID}) | {one for sample in samples for one in sample.labels or ()}

    def mask_values(self) -> tuple[int, ...] | None:
        """The class of each of the 256 values of a mask file, -1 = not allowed; None where there are no masks."""
        return None

    def mask_palette(self) -> Palette | None:
        """For coloured masks, the colours whose places the values are."""
        return None

    def prepare(self) -> None:
        refuse_empty(self.folder, self.samples)
        self.look  # noqa: B018 - finds the range of the pictures, and says it

    def told(self) -> dict[str, Any]:
        return {} if self.look.span is None else {"range": list(self.look.span)}

    def class_names(self) -> tuple[str, ...]:
        return self._class_names

    def refuse_untaught(self) -> None:
        if self.chosen() in ((), ("value",)):  # no classes that could be missing
            return
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

    def origins(self, split: SplitName) -> Sequence[Sample]:
        return self.samples[split]

    def dealt(self, names: Mapping[SplitName, Sequence[str]]) -> DataSet:
        there = {split: [sample.name for sample in samples] for split, samples in self.samples.items()}
        places = find_places(names, there)
        made = copy(self)
        for one in self.of_samples:  # is told anew, by these samples alone
            made.__dict__.pop(one, None)
        made.samples = {split: [self.samples[own][i] for own, i in found] for split, found in places.items()}
        return made

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        self.prepare()
        decoder = Decoder(
            tuple(self.samples[split]),
            self.image_size,
            self.channels,
            boxed=self.boxed,
            ignoring=any(any(sample.ignored) for samples in self.samples.values() for sample in samples),
            instanced=self.instanced,
            mask_values=self.mask_values(),
            label_count=len(self.class_names()) if self.target == "labels" else 0,
            palette=self.mask_palette(),
            look=self.look,
        )
        return open_samples(decoder, self.in_memory)

    @property
    def boxed(self) -> bool:
        """Whether samples have boxes (a picture may have none)."""
        chosen = self.chosen()
        return "boxes" in (self.targets if chosen is None else chosen)

    @property
    def instanced(self) -> bool:
        """Whether objects are told apart pixel by pixel."""
        return self.target == "instances"

    def chosen(self) -> tuple[str, ...] | None:
        return None if len(self.targets) == 1 else tuple(one for one in self.targets if one == self.target)

    def census(self) -> Census:
        self.prepare()
        return self.counted

    @cached_property
    def folder(self) -> Path:
        """The user's folder, which is there; or the only one in it, which an archive has put there."""
        root = existing_root(self.root, type(self).__module__.rpartition(".")[2])
        inner = entered(root)
        if inner != root:
            self.counted.remark(f"{root}: holds a single folder, so {inner} is read")
        return inner

    @cached_property
    def samples(self) -> dict[SplitName, list[Sample]]:
        """The samples of every split."""
        return complete_splits(
            self._found,
            key=lambda sample: sample.name,
            label=self._stratum,
            groups=None if self.group is None else partial(_groups, self.group),
            kind=self.kind,
        )

    @cached_property
    def _found(self) -> Mapping[SplitName, Sequence[Sample]]:
        """What there is of ``found`` that can be read, counted."""
        found = {split: self._readable(samples) for split, samples in self.found().items()}
        refuse_unnameable([sample.picture for samples in found.values() for sample in samples])
        self._count(found)
        return found

    @cached_property
    def _class_names(self) -> tuple[str, ...]:
        if self.classes is None:
            return checked(self.names(), str(self.folder))
        there = self.listed()
        if there is not None:
            refuse_unlisted(self.classes, there, str(self.folder))
        return checked(self.classes, "data.classes")

    def _stratum(self, sample: Sample) -> int:
        return 0 if sample.label is None else self._places[sample.label]

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """In the alphabet, so that the order of ``classes`` moves no picture to another split."""
        return ranks(self.class_names())

    def _count(self, found: Mapping[SplitName, Sequence[Sample]]) -> None:
        """Enter what is used, and say what is not where it is much."""
        census = self.counted
        census.use(self.kind, sum(len(samples) for samples in found.values()))
        boxes = {split: count_boxes(samples, census) for split, samples in found.items()} if self.boxed else {}
        if found["train"] and boxes.get("train") == 0:
            why = census.line() or f"{len(found['train']):,} pictures, and not one has a box"
            raise InputError(f"{self.folder}: no box to train with ({why})")
        for split in (split for split, samples in found.items() if samples and boxes.get(split) == 0):
            census.remark(f"no picture for {split} has a box, so that its scores mean nothing")
        for line in census.warnings():
            log.warning("%s: %s", self.folder, line)

    @cached_property
    def look(self) -> Look:
        """How the files become 8 bits."""
        if self.range is not None:
            return look_of(self.range, self.background)
        pictures = list(dict.fromkeys(sample.picture for samples in self.samples.values() for sample in samples))
        span = range_of(pictures, self.channels)
        if span is not None:
            said = f"data.range=[{span[0]:g},{span[1]:g}]"
            log.warning("%s: pictures of more than 8 bits; %g is black and %g white (%s)", self.folder, *span, said)
        return look_of(span, self.background)

    def _readable(self, samples: Sequence[Sample]) -> Sequence[Sample]:
        """Less those that cannot be decoded, where these are to be skipped; each is named."""
        if self.unreadable == "fail":
            return samples
        broken = unreadable_ones(samples, self.channels)
        for place, line in broken.items():
            log.warning("left out: %s", line)
            self.counted.leave_out(PICTURES, UNREADABLE, samples[place].name)
        return [sample for place, sample in enumerate(samples) if place not in broken]

    def distinct(self) -> tuple[SplitName, ...]:
        return tuple(name for name in SPLITS if name != "test" or self.samples["test"] is not self.samples["val"])

    def columns(self, split: SplitName) -> dict[str, list[str]]:
        return _columns(self.samples[split])


def _groups(word: str, samples: Sequence[Sample]) -> list[str]:
    return groups_of(word, [sample.name for sample in samples], _columns(samples))


def _columns(samples: Sequence[Sample]) -> dict[str, list[str]]:
    return {key: [sample.columns[key] for sample in samples] for key in (samples[0].columns if samples else ())}
