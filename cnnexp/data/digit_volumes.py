"""Volumes of handwritten digits that move through the slices, to learn segmentation in three dimensions from."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cnnexp.data.base import SPLITS, DataSet, SplitName, TensorSplit
from cnnexp.data.mnist5k import digits_of
from cnnexp.draws import fold, uniform

COUNTS: dict[SplitName, int] = {"train": 400, "val": 50, "test": 50}
SIZE = (24, 48, 48)
"""Depth, height, width."""
CLASSES = ("background", "digit")
MOST_DIGITS = 3
SIDES = (16, 26)
"""Smallest and largest side, in pixels, that a digit's 28×28 frame is drawn at."""
SLICES = (8, 16)
"""Through how many slices a digit goes."""
FLASHES = (6, 12)
"""How many distractors there are, and ..."""
FLASH_SLICES = (1, 2)
"""... how many slices each of them is in."""
INK = 48
"""Fainter pixels of a resized digit are not drawn."""
NOISE = 30.0
"""Standard deviation of the noise, of 255."""
_FAINTEST = 0.55
# Purposes of the draws; each keeps its own stream of numbers.
_COUNTS, _SWEEP, _NOISE = range(3)
_UNTIL = 0.6
"""How far of the way to a digit's other end it gets in the longest sweep, and ..."""
_BENT = 0.15
"""... how far its path bends aside, as a part of the room that it has."""


class DigitVolumes(DataSet):
    """400 / 50 / 50 volumes of one to three digits, each of which goes on through 8 to 16 slices along a bent path.

    Its size changes steadily on the way. Between them 6 to 12 distractors flash up: digits too, of the same sizes and
    shades, but in one or two slices only. So a slice does not tell what belongs to the mask, only its neighbours do.
    All lies under noise. Digits of the training split of mnist5k occur in training volumes only, and so for the other
    splits. Volume ``i`` is a function of (volume_seed, split, i) alone. The mask is 1 where a lasting digit has ink.
    """

    targets = ("mask",)

    def __init__(self, *, volume_seed: int) -> None:
        self.volume_seed = volume_seed

    def load(self, split: SplitName) -> TensorSplit:
        volumes, masks = _all(self.volume_seed, split)
        tensors = {"volume": torch.from_numpy(volumes.copy())[:, None], "mask": torch.from_numpy(masks.copy())}
        return TensorSplit(tensors, names=[f"digit_volumes/{split}/{i}" for i in range(len(volumes))])


@lru_cache(maxsize=len(SPLITS))
def _all(volume_seed: int, split: SplitName) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    digits = digits_of(split)[0]
    made = [compose(digits, volume_seed, split, i) for i in range(COUNTS[split])]
    return np.stack([volume for volume, _ in made]), np.stack([mask for _, mask in made])


def compose(
    digits: NDArray[np.uint8], volume_seed: int, split: SplitName, index: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Volume ``index`` of a split and its mask, uint8 (D, H, W) each, of the split's digits (N, 28, 28)."""
    key = (volume_seed, SPLITS.index(split), index)
    volume, mask = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
    lasting, flashing = uniform(*key, _COUNTS, np.arange(2))
    count = 1 + int(MOST_DIGITS * lasting)
    draws = uniform(*key, _SWEEP, np.arange(MOST_DIGITS + FLASHES[1])[:, None], np.arange(12))
    for u in draws[:count]:
        _sweep(volume, mask, u, digits, SLICES)
    spare = np.zeros(SIZE, np.uint8)
    for u in draws[MOST_DIGITS : MOST_DIGITS + _between(FLASHES, flashing)]:
        _sweep(spare, None, u, digits, FLASH_SLICES)
    near = _grown(mask)  # what flashes up touches nothing that lasts, so that no voxel is of both
    volume = np.maximum(volume, np.where(near, 0, spare))
    noisy = volume + NOISE * _normal(key)
    return np.rint(noisy.clip(0, 255)).astype(np.uint8), mask


def _sweep(
    volume: NDArray[np.uint8],
    mask: NDArray[np.uint8] | None,
    u: NDArray[np.float64],
    digits: NDArray[np.uint8],
    lengths: tuple[int, int],
) -> None:
    """Draw one digit along its path, as twelve numbers in [0, 1) have it."""
    digit = digits[int(u[0] * len(digits))]
    length = _between(lengths, u[1])
    first = int(u[2] * (SIZE[0] - length + 1))
    light = _FAINTEST + (1 - _FAINTEST) * u[3]
    sides = SIDES[0] + (SIDES[1] - SIDES[0]) * u[4:6]
    begin, end, bend = u[6:8], u[8:10], 2 * u[10:12] - 1
    for step in range(length):
        part = step / (SLICES[1] - 1)  # all move equally fast, however long they last
        side = round(sides[0] + (sides[1] - sides[0]) * part)
        at = begin + (end - begin) * _UNTIL * part + _BENT * bend * 4 * part * (1 - part)
        top, left = (round(float(p) * (whole - side)) for p, whole in zip(at.clip(0, 1), SIZE[1:], strict=True))
        patch = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BILINEAR))
        ink = patch >= INK
        window = (first + step, slice(top, top + side), slice(left, left + side))
        shade = np.rint(patch * light).astype(np.uint8)
        volume[window] = np.where(ink, np.maximum(volume[window], shade), volume[window])
        if mask is not None:
            mask[window][ink] = 1


def _grown(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Voxels that are of the mask, or touch it within a slice or across one."""
    there = np.pad(mask > 0, 1)
    grown = there.copy()
    for axis in range(3):
        grown |= np.roll(there, 1, axis) | np.roll(there, -1, axis)
    inner: NDArray[np.bool_] = grown[1:-1, 1:-1, 1:-1]
    return inner


def _between(ends: tuple[int, int], u: float) -> int:
    """Both ends included."""
    return ends[0] + int(u * (ends[1] - ends[0] + 1))


def _normal(key: tuple[int, ...]) -> NDArray[np.float64]:
    """Nearly normal numbers of deviation 1 for all voxels: sums of four uniform ones, the same on every machine."""
    bits = fold(np.zeros((), np.uint64), *key, _NOISE, np.arange(int(np.prod(SIZE))))
    sums = bits.view(np.uint16).reshape(-1, 4).sum(1, dtype=np.int64)
    return ((sums - 2 * 65535) / (65536 / np.sqrt(3))).reshape(SIZE)
