"""Your own pictures with masks: files of the same name in two folders."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from cnnexp.augmentation.motion import VOID
from cnnexp.data.base import SplitName
from cnnexp.data.class_names import LEFT_OUT, numbering
from cnnexp.data.folders import by_stem, paired_folders, picture_by_stem
from cnnexp.data.mask_meaning import Given, Meaning, meaning_of
from cnnexp.data.mask_scan import Values, values_of
from cnnexp.data.mask_sizes import refuse_sizes
from cnnexp.data.mask_words import is_colour, read_mask_values, value_of
from cnnexp.data.matched_files import settle, settle_notes
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.picture_folders import enter_unread
from cnnexp.data.samples import InMemory, Sample
from cnnexp.data.text_files import read_names
from cnnexp.errors import InputError
from cnnexp.inputs.mask_files import Palette
from cnnexp.inputs.picture_files import Size, find_pictures

log = logging.getLogger(__name__)


class MaskFolder(OwnFolder):
    """A folder with ``images/`` and ``masks/``, split or not as for ``data=yolo``; ``masks/X.png`` belongs to
    ``images/X.jpg``.

    A mask holds the class number of every pixel, or 0 and 255 for background and foreground, or shades or colours that
    stand for classes: ``mask_meaning`` tells from the values of all masks. The classes' names are the lines of
    ``classes.txt`` or those of ``mask_values``, which ``classes`` puts in another order; without either ``classes``
    names them. A mask of another size than its picture, and of
    the same shape, is resized by nearest neighbour.

    Args:
        root, classes, image_size, channels, in_memory, range, background, unreadable: as for every folder.
        mask_values: values with their classes, ``{0: background, 255: cell}``, or a list of values; a value is a
            number or a colour (a name, ``#rrggbb``, three numbers). null: told by the masks.
        void: the value of pixels that count for nothing. null: 255 beside class numbers from 0 on.
    """

    targets = ("mask",)
    of_samples: ClassVar[tuple[str, ...]] = ("look", "meaning")

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
        mask_values: Any = None,
        void: Any = None,
    ) -> None:
        super().__init__(
            root=root,
            classes=classes,
            image_size=image_size,
            channels=channels,
            in_memory=in_memory,
            range=range,
            background=background,
            unreadable=unreadable,
        )
        self._said = read_mask_values(mask_values, void)
        self._void = None if void is None else value_of(void, is_colour(void), "data.void")
        self._by_colour = is_colour(void) or (self._said is not None and self._said.coloured)

    def prepare(self) -> None:
        super().prepare()
        self.meaning  # noqa: B018 - refuses what cannot be told, and says what was

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

    def names(self) -> tuple[str, ...]:
        return self.meaning.names

    def listed(self) -> tuple[str, ...] | None:
        named = self._class_list.is_file() or (self._said is not None and self._said.names is not None)
        return self.meaning.names if named else None

    def shown(self, samples: Sequence[Sample]) -> set[int]:
        class_of, palette = self.mask_values(), self.mask_palette()
        masks = [sample.mask for sample in samples if sample.mask is not None]
        present = values_of(masks, self._by_colour or palette is not None).present
        places = present if palette is None else [p for p, one in enumerate(palette.colours) if one in present]
        return {class_of[place] for place in places} - {LEFT_OUT, VOID}

    def mask_values(self) -> tuple[int, ...]:
        """The class of each of the 256 values, -1 = not allowed."""
        names = self.class_names()
        order = numbering(names, self.listed() or names, str(self.folder))
        return tuple(order[one] if 0 <= one < len(order) else one for one in self.meaning.table)

    def mask_palette(self) -> Palette | None:
        return self.meaning.palette

    @cached_property
    def meaning(self) -> Meaning:
        """What the values stand for.

        Raises:
            InputError: it cannot be told; a mask is of another shape than its picture.
        """
        samples = list(dict.fromkeys(sample for split in self.samples.values() for sample in split))
        masks = [sample.mask for sample in samples if sample.mask is not None]
        seen = values_of(masks, self._by_colour)
        meaning = meaning_of(seen, self.folder, self._given(), self._said, self._void_in(seen))
        resized = refuse_sizes(samples)
        for line in (meaning.line, resized):
            if line is not None:
                log.warning("%s: %s", self.folder, line)
        return meaning

    def _given(self) -> Given | None:
        listed = self._class_list
        if listed.is_file():
            return Given(read_names(listed), str(listed), of_folder=True)
        return None if self.classes is None else Given(self.classes, "data.classes")

    @property
    def _class_list(self) -> Path:
        return self.folder / "classes.txt"

    def _void_in(self, seen: Values) -> int | None:
        """The void value as these masks have it: a grey value in a set of colours is a grey colour."""
        grey = self._void is not None and seen.coloured and not self._by_colour
        return self._void * 0x010101 if grey and self._void is not None else self._void
