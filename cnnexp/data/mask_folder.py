"""Your own pictures with masks: files of the same name in two folders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from cnnexp.augmentation.motion import VOID
from cnnexp.data.base import SplitName
from cnnexp.data.class_names import LEFT_OUT, numbering
from cnnexp.data.folders import paired_folders, picture_by_stem
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.samples import Sample
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import read_mask

_BLACK_AND_WHITE = frozenset({0, 255})


class MaskFolder(OwnFolder):
    """A folder with ``images/`` and ``masks/``, split or not as for ``data=yolo``; ``masks/X.png`` belongs to
    ``images/X.jpg``.

    A mask holds the class number of every pixel (8-bit grey, or palette indices); 255 is void. Masks of nothing but 0
    and 255 are read as background and foreground. The classes' names are the lines of ``classes.txt``, which
    ``classes`` puts in another order. Without that file ``classes`` names the numbers; without either they are numbered
    as far as the training masks go.
    """

    targets = ("mask",)

    def found(self) -> dict[SplitName, list[Sample]]:
        return {split: _pairs(images, masks) for split, images, masks in paired_folders(self.folder, "images", "masks")}

    @cached_property
    def _values(self) -> frozenset[int]:
        """The values that occur in the training masks."""
        return _values_in(self.samples["train"])

    def listed(self) -> tuple[str, ...] | None:
        path = self.folder / "classes.txt"
        if not path.is_file():
            return None
        return tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())

    def names(self) -> tuple[str, ...]:
        listed = self.listed()
        if listed is not None:
            names = listed
        elif self._values == _BLACK_AND_WHITE:
            names = ("background", "foreground")
        else:
            names = tuple(str(value) for value in range(max(self._values - {VOID}, default=0) + 1))
        if len(names) < 2:
            raise InputError(f"{self.folder}: the training masks hold one class only, so there is nothing to learn")
        return names

    def mask_values(self) -> tuple[int, ...]:
        """The class of each of the 256 values, -1 = not allowed."""
        names = self.class_names()
        order = numbering(names, self.listed() or names, str(self.folder))
        if len(order) == 2 and self._values == _BLACK_AND_WHITE:
            return (order[0], *[LEFT_OUT] * 254, order[1])
        return (*order, *[LEFT_OUT] * (255 - len(order)), VOID)

    def shown(self, samples: Sequence[Sample]) -> set[int]:
        number_of = self.mask_values()
        values = self._values if samples is self.samples["train"] else _values_in(samples)
        return {number_of[value] for value in values} - {LEFT_OUT, VOID}


def _values_in(samples: Sequence[Sample]) -> frozenset[int]:
    seen = np.zeros(256, dtype=bool)
    for sample in samples:
        assert sample.mask is not None
        seen[read_mask(sample.mask, None)[0].reshape(-1)] = True
    return frozenset(np.flatnonzero(seen).tolist())


def _pairs(images: Path, masks: Path) -> list[Sample]:
    pictures, mask_of = picture_by_stem(images), picture_by_stem(masks)
    if not pictures:
        raise InputError(f"{images}: no pictures found")
    without = sorted(pictures.keys() - mask_of.keys())
    if without:
        raise InputError(f"{pictures[without[0]]}: no mask {without[0]}.png in {masks} ({len(without)} such pictures)")
    return [Sample(path, path.name, mask=mask_of[stem]) for stem, path in pictures.items()]
