"""The random numbers of each operation: a function of (seed, epoch, index of the sample) and of the operation alone."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cnnexp.draws import fold, unit

Numbers = NDArray[np.float64]
"""Uniform in [0, 1), (B, lanes): a row for each sample, a column for each number that an operation takes."""

_KEY = 0xA46  # keeps these draws apart from those of the order and the splits
_WIDTH = 256  # more than any operation takes
_PLACES = (
    "crop", "random_resized_crop", "mirror", "quarter_turn", "scale", "pad", "translate", "rotate", "shear", "affine",
    "elastic", "brightness", "contrast", "saturation", "hue", "greyscale", "rgb_shift", "pca", "noise", "cutout",
    "erasing", "mixing",
)  # fmt: skip
"""An operation's place decides its lanes: append only, or every run's draws change."""
_OTHERS = 1 << 20  # places of operations that are not in the list, by a digest of their names


class Lanes:
    """Draws the numbers of several operations by one hash.

    Switching one operation on or off does not change the numbers of another.

    Args:
        counts: how many numbers each operation takes, by its name.
        seed: of the run.
    """

    def __init__(self, counts: Mapping[str, int], seed: int) -> None:
        self.seed = seed
        self._lanes = np.concatenate(
            [np.arange(0), *(_place(name) * _WIDTH + np.arange(count) for name, count in counts.items())]
        )[None]
        self._epoch, self._begun = -1, np.zeros((), np.uint64)
        ends = np.cumsum([0, *counts.values()]).tolist()
        self._slices = {name: slice(*pair) for name, pair in zip(counts, pairwise(ends), strict=True)}

    def draw(self, index: NDArray[np.int64], epoch: int) -> dict[str, Numbers]:
        """The numbers of each operation for the samples with these indices (B,) in this epoch."""
        if epoch != self._epoch:
            self._epoch, self._begun = epoch, fold(np.zeros((), np.uint64), _KEY, self.seed, epoch)
        numbers = unit(fold(self._begun, index[:, None], self._lanes))
        return {name: numbers[:, part] for name, part in self._slices.items()}


def _place(name: str) -> int:
    return _PLACES.index(name) if name in _PLACES else len(_PLACES) + zlib.crc32(name.encode()) % _OTHERS


def chosen(u: Numbers, probability: float) -> NDArray[np.bool_]:
    """Which samples an operation meets, by its first lane (B,)."""
    return u[:, 0] < probability


def symmetric(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """[0, 1) → [-1, 1)."""
    return 2 * u - 1


def logarithmic(u: NDArray[np.float64], bounds: Sequence[float]) -> NDArray[np.float64]:
    """[0, 1) → between two bounds above 0, even in the logarithm."""
    low, high = np.log(bounds)
    return np.exp(low + u * (high - low))


def normal(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """A standard normal number from two uniform ones (Box and Muller 1958)."""
    return np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v)
