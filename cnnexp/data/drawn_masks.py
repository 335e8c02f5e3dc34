"""Masks that are not files: outlines and runs of pixels, drawn where a picture is decoded."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.augmentation.instances import MOST_OBJECTS
from cnnexp.augmentation.motion import VOID
from cnnexp.data.census import BOXES, Census
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Size

OBJECTS = "objects"
"""A kind in the census: what is annotated by its outline."""
OUTLINED = ("mask", "instances")
"""Targets that take the pixels of objects."""


def fills(size: Size, counts: bytes) -> bool:
    """Whether a run-length code of COCO is whole, and its runs are all pixels of a picture (height, width).

    It is looked at before a library decodes it: not all of them do, and the code may be a stranger's. Six bits a
    character from 48 on: five of the number, lowest first, and one that says whether more follow; from the fourth
    number on each is the difference to the last but one (cocoapi, maskApi.c, rleFrString).
    """
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        part = character - 48
        if not 0 <= part < 64 or shift > 60:
            return False
        value |= (part & 31) << shift
        shift += 5
        if part & 32:
            continue
        if part & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    return shift == 0 and min(runs, default=-1) >= 0 and sum(runs) == size[0] * size[1]


@dataclass(frozen=True)
class Region:
    """The pixels of one object.

    Attributes:
        value: its class in the mask. outlines: of its parts, each x1 y1 x2 y2 ... as packed doubles.
        runs: in place of outlines, the size of a picture and COCO's run-length code.
    """

    value: int
    outlines: tuple[bytes, ...] = ()
    runs: tuple[Size, bytes] | None = None


@dataclass(frozen=True)
class Drawing:
    """A picture's regions on class 0.

    The larger region is drawn first, so that of two that overlap the smaller one is on top; of equal ones the later.

    Attributes:
        where: what to name in a message. size: height and width of the picture that it was drawn on, where that is
            known. relative: whether outlines are in parts of width and height, not in pixels.
    """

    regions: tuple[Region, ...]
    where: str
    size: Size | None = None
    relative: bool = False

    def mask(self, original: Size, image_size: Size) -> NDArray[np.uint8]:
        """The mask at a size, from the picture's own by nearest neighbour.

        Raises:
            InputError: it was drawn on a picture of another size; a code is broken.
        """
        drawn = self._drawn([region.value for region in self.regions], original)
        if original == image_size:
            return drawn.astype(np.uint8)
        resized = Image.fromarray(drawn.astype(np.uint8)).resize(image_size[::-1], Image.Resampling.NEAREST)
        return np.array(resized, dtype=np.uint8)

    def numbers(self, original: Size, image_size: Size) -> NDArray[np.int16]:
        """The number of each pixel's region, counted from 1, 0 = none; sizes and errors as for ``mask``."""
        if len(self.regions) > MOST_OBJECTS:
            raise InputError(f"{self.where}: {len(self.regions):,} objects, and a picture may have {MOST_OBJECTS:,}")
        return nearest(self._drawn(range(1, len(self.regions) + 1), original), image_size)

    def _drawn(self, values: Sequence[int], original: Size) -> NDArray[np.int16]:
        """A value for each region, at the picture's own size."""
        from faster_coco_eval.core import mask as coder

        codes = [self._code(region, original) for region in self.regions]
        areas = coder.area(codes).tolist() if codes else []
        drawn = np.zeros(original, np.int16)
        for place in sorted(range(len(codes)), key=lambda place: -areas[place]):
            drawn[coder.decode(codes[place]) > 0] = values[place]
        return drawn

    def _code(self, region: Region, original: Size) -> dict[str, object]:
        from faster_coco_eval.core import mask as coder

        if self.size not in (None, original):
            self._refuse_size(self.size, original)
        height, width = original
        if region.runs is None:
            scale = (width, height) if self.relative else (1, 1)
            outlines = [(np.frombuffer(one).reshape(-1, 2) * scale).ravel().tolist() for one in region.outlines]
            return coder.merge(coder.frPyObjects(outlines, height, width))
        size, counts = region.runs
        if size != original:
            self._refuse_size(size, original)
        if not fills(size, counts):
            raise InputError(f"{self.where}: a broken run-length code")
        return {"size": list(size), "counts": counts}

    def _refuse_size(self, size: Size | None, original: Size) -> None:
        assert size is not None
        raise InputError(
            f"{self.where}: drawn on {size[1]}×{size[0]} pixels, and the picture has {original[1]}×{original[0]}; they "
            "must be of one size"
        )


def nearest(numbers: NDArray[np.int16], image_size: Size) -> NDArray[np.int16]:
    """A number for each pixel at another size (height, width), that of the nearest pixel."""
    if numbers.shape == image_size:
        return numbers
    down, across = (
        np.floor((np.arange(size) + 0.5) * (given / size)).astype(np.int64)
        for size, given in zip(image_size, numbers.shape, strict=True)
    )
    return np.ascontiguousarray(numbers[down[:, None], across])


def packed(numbers: Iterable[float]) -> bytes:
    """An outline as ``Region`` keeps it: a tenth of what a tuple takes."""
    return array("d", numbers).tobytes()


def unpacked(outline: bytes) -> NDArray[np.float64]:
    """The points of an outline, (n, 2)."""
    return np.frombuffer(outline).reshape(-1, 2)


def outlined_box(outlines: Sequence[bytes]) -> tuple[float, float, float, float]:
    """The box around outlines, x1 y1 x2 y2."""
    points = np.concatenate([unpacked(one) for one in outlines])
    (x1, y1), (x2, y2) = points.min(0).tolist(), points.max(0).tolist()
    return x1, y1, x2, y2


def values_of_classes(count: int) -> tuple[int, ...]:
    """What each of the 256 values of a drawn mask stands for: itself, as far as there are classes.

    Raises:
        InputError: there are more classes than a mask can hold.
    """
    if count > VOID:
        raise InputError(f"data.classes: {count} classes with the background, and a mask holds up to {VOID}")
    return (*range(count), *[-1] * (VOID - count), VOID)


def kind_of(target: str | None) -> str:
    """What the census counts."""
    return OBJECTS if target in OUTLINED else BOXES


def use_objects(census: Census, drawings: Iterable[Drawing]) -> None:
    """Enter the regions that are drawn."""
    census.use(OBJECTS, sum(len(one.regions) for one in drawings))
