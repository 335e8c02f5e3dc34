"""Your own pictures with masks: files of the same name in two folders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from cnnexp.data.base import VOID, DataSet, FileSplit, SplitName, TensorSplit
from cnnexp.data.folders import complete_splits, existing_root, paired_folders, picture_by_stem, refuse_empty
from cnnexp.data.pictures import Size, pillow_mode, read_mask
from cnnexp.data.samples import Decoder, InMemory, Sample, open_samples
from cnnexp.errors import InputError

_BLACK_AND_WHITE = frozenset({0, 255})


class MaskFolder(DataSet):
    """A folder with ``images/`` and ``masks/``, split or not as for ``data=yolo``; ``masks/X.png`` belongs to
    ``images/X.jpg``.

    A mask holds the class number of every pixel (8-bit grey, or palette indices); 255 is void. Masks of nothing but 0
    and 255 are read as background and foreground. The classes' names are the lines of ``classes.txt``, unless
    ``mask_classes`` gives them; without either they are numbered as far as the training masks go.
    """

    targets = ("mask",)

    def __init__(
        self,
        *,
        root: str | None,
        mask_classes: Sequence[str] | None,
        image_size: Size,
        channels: int,
        in_memory: InMemory,
    ) -> None:
        pillow_mode(channels)
        self.root = root
        self.mask_classes = tuple(mask_classes) if mask_classes is not None else None
        self.image_size, self.channels, self.in_memory = image_size, channels, in_memory

    def prepare(self) -> None:
        refuse_empty(self._root, self._samples)

    def mask_class_names(self) -> tuple[str, ...]:
        if self.mask_classes is None:
            self.mask_classes = self._names()
        return self.mask_classes

    def load(self, split: SplitName) -> TensorSplit | FileSplit:
        self.prepare()
        samples = tuple(self._samples[split])
        return open_samples(
            Decoder(samples, self.image_size, self.channels, mask_values=self._mask_values()), self.in_memory
        )

    @property
    def _root(self) -> Path:
        return existing_root(self.root, "mask_folder")

    @cached_property
    def _samples(self) -> dict[SplitName, list[Sample]]:
        found = {split: _pairs(images, masks) for split, images, masks in paired_folders(self._root, "images", "masks")}
        return complete_splits(found, key=lambda sample: sample.name)

    @cached_property
    def _values(self) -> frozenset[int]:
        """The values that occur in the training masks."""
        seen = np.zeros(256, dtype=bool)
        for sample in self._samples["train"]:
            assert sample.mask is not None
            seen[read_mask(sample.mask, None)[0].reshape(-1)] = True
        return frozenset(np.flatnonzero(seen).tolist())

    def _names(self) -> tuple[str, ...]:
        listed = self._root / "classes.txt"
        if listed.is_file():
            names = tuple(line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line.strip())
        elif self._values == _BLACK_AND_WHITE:
            names = ("background", "foreground")
        else:
            names = tuple(str(value) for value in range(max(self._values - {VOID}, default=0) + 1))
        if len(names) < 2:
            raise InputError(f"{self._root}: the training masks hold one class only, so there is nothing to learn")
        return names

    def _mask_values(self) -> tuple[int, ...]:
        """The class of each of the 256 values, -1 = not allowed."""
        names = self.mask_class_names()
        if len(names) == 2 and self._values == _BLACK_AND_WHITE:
            return (0, *[-1] * 254, 1)
        return (*range(len(names)), *[-1] * (255 - len(names)), VOID)


def _pairs(images: Path, masks: Path) -> list[Sample]:
    pictures, mask_of = picture_by_stem(images), picture_by_stem(masks)
    if not pictures:
        raise InputError(f"{images}: no pictures found")
    without = sorted(pictures.keys() - mask_of.keys())
    if without:
        raise InputError(f"{pictures[without[0]]}: no mask {without[0]}.png in {masks} ({len(without)} such pictures)")
    return [Sample(path, path.name, mask=mask_of[stem]) for stem, path in pictures.items()]
