"""Your own pictures with masks: files of the same name in two folders."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from cnnexp.augmentation.motion import VOID
from cnnexp.data.base import SplitName
from cnnexp.data.folders import by_stem, paired_folders, picture_by_stem
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.pairs import settle, settle_notes
from cnnexp.data.picture_folders import enter_unread
from cnnexp.data.samples import Sample
from cnnexp.data.text_files import read_names
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import find_pictures, read_mask

_BLACK_AND_WHITE = frozenset({0, 255})


class MaskFolder(OwnFolder):
    """A folder with ``images/`` and ``masks/``, split or not as for ``data=yolo``; ``masks/X.png`` belongs to
    ``images/X.jpg``.

    A mask holds the class number of every pixel (8-bit grey, or palette indices); 255 is void. Masks of nothing but 0
    and 255 are read as background and foreground. The classes' names are the lines of ``classes.txt``, unless
    ``classes`` gives them; without either they are numbered as far as the training masks go.
    """

    targets = ("mask",)

    def found(self) -> dict[SplitName, list[Sample]]:
        folders = list(paired_folders(self.folder, "images", "masks"))
        enter_unread(self.folder, [images for _, images, _ in folders], "images", self.counted)
        return {split: self._pairs(images, masks) for split, images, masks in folders}

    def _pairs(self, images: Path, masks: Path) -> list[Sample]:
        root, census = self.folder, self.counted
        pictures = picture_by_stem(images, root, census)
        mask_of = by_stem(find_pictures(masks, deep=True), masks)
        if not pictures:
            raise InputError(f"{images}: no pictures found")
        settle_notes(census, mask_of, pictures, kind="masks", suffix=".png", root=root)
        matched = [stem for stem in pictures if stem in mask_of]
        without = [path for stem, path in pictures.items() if stem not in mask_of]
        settle(
            census, without, len(matched), kind="pictures", root=root,
            reason="without a mask", fix=f"each has a mask of its name in {masks}",
        )  # fmt: skip
        census.use("masks", len(matched))
        return [
            Sample(pictures[stem], pictures[stem].relative_to(images).as_posix(), mask=mask_of[stem])
            for stem in matched
        ]

    @cached_property
    def _values(self) -> frozenset[int]:
        """The values that occur in the training masks."""
        seen = np.zeros(256, dtype=bool)
        for sample in self.samples["train"]:
            assert sample.mask is not None
            seen[read_mask(sample.mask, None)[0].reshape(-1)] = True
        return frozenset(np.flatnonzero(seen).tolist())

    def names(self) -> tuple[str, ...]:
        listed = self.folder / "classes.txt"
        if listed.is_file():
            names = read_names(listed)
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
        if len(names) == 2 and self._values == _BLACK_AND_WHITE:
            return (0, *[-1] * 254, 1)
        return (*range(len(names)), *[-1] * (255 - len(names)), VOID)
