"""Every mask of a data set seen once: which values there are, and in how many pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.data import decoded_cache
from cnnexp.data.samples import THREADS
from cnnexp.inputs.mask_files import colours_in, grey_values
from cnnexp.inputs.opened_files import named_errors, opened_file, upright

_FLAT = 8
"""A pixel whose 3×3 neighbours differ by no more is inside of a region; JPEG's ripples stay below."""
_LOSSY = frozenset({"JPEG", "MPO", "JPEG2000"})


@dataclass(frozen=True)
class Values:
    """Pixels by value, of all masks of a set.

    Attributes:
        values: ascending, int64: 0 to 255, or 0xRRGGBB where the masks are ``coloured``. counts: pixels of each.
        inside: pixels of each that lie inside of a region, less those at its edge; the same as ``counts`` for colours.
        lossy: a file is of a format that changes values.
    """

    values: NDArray[np.int64]
    counts: NDArray[np.int64]
    inside: NDArray[np.int64]
    coloured: bool
    lossy: bool

    @property
    def present(self) -> list[int]:
        return self.values.tolist()

    def within(self, keep: NDArray[np.bool_]) -> float:
        """The part of all pixels in values to keep."""
        return float(self.counts[keep].sum() / self.counts.sum())

    def without(self, value: int | None) -> Values:
        """Less one value."""
        keep = self.values != (-1 if value is None else value)
        return Values(self.values[keep], self.counts[keep], self.inside[keep], self.coloured, self.lossy)

    def shown(self, value: int) -> str:
        """A value as one types it."""
        return f"#{value:06x}" if self.coloured else str(value)

    def histogram(self, most: int = 8) -> str:
        """The commonest values with their shares."""
        order = np.argsort(-self.counts, kind="stable")
        total = self.counts.sum()
        parts = [f"{self.shown(int(self.values[i]))}: {100 * self.counts[i] / total:.3g} %" for i in order[:most]]
        more = len(order) - len(parts)
        return ", ".join(parts) + (f" and {more} more value{'s' if more > 1 else ''}" if more > 0 else "")


def values_of(masks: Sequence[Path], colours: bool = False) -> Values:
    """Decode all masks; what is found is kept in the cache folder until a file changes.

    Args:
        colours: look at colours, even where palettes and grey values would do.

    Raises:
        InputError: a mask is missing or broken.
    """
    key = decoded_cache.key_of(masks, "values of masks")
    found = decoded_cache.load(key)
    if found is None:
        found = _scanned(masks)
        decoded_cache.save(key, found)
    coloured, differing, lossy, black_and_white = found["flags"].tolist()
    if coloured or differing or black_and_white or colours:
        return Values(found["colours"], found["colour_counts"], found["colour_counts"], True, bool(lossy))
    values = np.flatnonzero(found["counts"])
    return Values(values, found["counts"][values], found["inside"][values], False, bool(lossy))


def _scanned(masks: Sequence[Path]) -> dict[str, NDArray[np.int64]]:
    """Counts by grey value or palette index, and by colour; whether a mask has colours that its indices do not tell."""
    counts, inside = np.zeros(256, np.int64), np.zeros(256, np.int64)
    colours: Counter[int] = Counter()
    meant: dict[int, int] = {}
    coloured = differing = lossy = False
    pool = ThreadPoolExecutor(THREADS)
    try:
        for one in pool.map(_one, masks):
            colours.update(one.colours)
            lossy |= one.lossy
            coloured |= one.coloured
            differing |= any(meant.setdefault(index, colour) != colour for index, colour in one.palette.items())
            counts += one.counts
            inside += one.inside
    finally:
        pool.shutdown(cancel_futures=True)
    order = sorted(colours)
    black_and_white = order == [0, 0xFFFFFF] and bool(meant)  # whichever of them a palette has first
    return {
        "counts": counts,
        "inside": inside,
        "colours": np.array(order, np.int64),
        "colour_counts": np.array([colours[colour] for colour in order], np.int64),
        "flags": np.array([coloured, differing, lossy, black_and_white], np.int64),
    }


@dataclass(frozen=True)
class _One:
    """What one file holds; ``palette``: the colour of each index that it uses, where it has a palette."""

    counts: NDArray[np.int64]
    inside: NDArray[np.int64]
    colours: dict[int, int]
    palette: dict[int, int]
    coloured: bool
    lossy: bool


def _one(path: Path) -> _One:
    none = np.zeros(256, np.int64)
    with named_errors(path), opened_file(path) as opened:
        lossy = opened.format in _LOSSY
        picture = upright(opened)
        values = grey_values(picture, path)
        if values is None or picture.mode == "P":
            different, number = np.unique(colours_in(picture, path), return_counts=True)
            colours = dict(zip(different.tolist(), number.tolist(), strict=True))
        if values is None:
            return _One(none, none, colours, {}, True, lossy)
        counts = np.bincount(values.reshape(-1), minlength=256)
        inside = _inside(values) if (counts > 0).sum() > 2 else counts
        if picture.mode != "P":
            colours = {value * 0x010101: int(counts[value]) for value in np.flatnonzero(counts).tolist()}
            return _One(counts, inside, colours, {}, False, lossy)
        return _One(counts, inside, colours, _palette(picture, counts), False, lossy)


def _palette(picture: Image.Image, counts: NDArray[np.int64]) -> dict[int, int]:
    table = np.array(picture.getpalette("RGB") or [], np.int64).reshape(-1, 3) @ [1 << 16, 1 << 8, 1]
    return {index: int(table[index]) for index in np.flatnonzero(counts).tolist() if index < len(table)}


def _inside(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels by value, of those whose 3×3 neighbours are nearly alike."""
    height, width = values.shape
    if min(height, width) < 3:
        return np.zeros(256, np.int64)
    shifted = [values[y : height - 2 + y, x : width - 2 + x] for y in range(3) for x in range(3)]
    low, high = np.minimum.reduce(shifted), np.maximum.reduce(shifted)
    return np.bincount(values[1:-1, 1:-1][high - low <= _FLAT], minlength=256)
