"""Random pictures with random labels, made on the spot: nothing to learn and nothing to download, to time a machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import SPLITS, DataSet, SplitName, TensorSplit
from cnnexp.data.memory import MEMORY_BUDGET, fits_in_memory
from cnnexp.draws import uniform
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Size

_KEY = 0x5F7
_BYTES_PER_DRAW = 6  # of the 53 random bits of a double
_DRAWS_AT_ONCE = 2**20


class Synthetic(DataSet):
    """Uniform noise: every pixel value 0-255 and every class as likely as any other, the same on every machine.

    Args:
        image_size, channels: of a picture. classes: names; a label is drawn among them.
        count: training pictures N; validation and test have N // 10 each, one at least.
    """

    targets = ("label",)

    def __init__(self, *, image_size: Size, channels: int, classes: Sequence[str], count: int) -> None:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise InputError(f"data.count={count}: expected a whole number of at least 1")
        if not fits_in_memory(count, image_size, channels):
            most = MEMORY_BUDGET // (channels * image_size[0] * image_size[1])
            raise InputError(f"data.count={count}: too many to hold in memory; at most {most} of this size")
        self.image_size = image_size
        self.channels = channels
        self.classes = classes
        self.count = count

    def load(self, split: SplitName) -> TensorSplit:
        count = self.count if split == "train" else max(1, self.count // 10)
        place = SPLITS.index(split)
        pixels = _noise(count * self.channels * self.image_size[0] * self.image_size[1], place)
        labels = (uniform(_KEY, place, np.arange(count)) * len(self.classes)).astype(np.int64)
        image = torch.from_numpy(pixels).view(count, self.channels, *self.image_size)
        return TensorSplit({"image": image, "label": torch.from_numpy(labels)})


def _noise(count: int, place: int) -> NDArray[np.uint8]:
    """uint8 (count,), six of each draw."""
    draws = -(-count // _BYTES_PER_DRAW)
    starts = range(0, draws, _DRAWS_AT_ONCE)
    parts = [_bytes_of(uniform(_KEY, place, 1, np.arange(one, min(one + _DRAWS_AT_ONCE, draws)))) for one in starts]
    return np.concatenate(parts)[:count]


def _bytes_of(draws: NDArray[np.float64]) -> NDArray[np.uint8]:
    whole = (draws * 2.0 ** (8 * _BYTES_PER_DRAW)).astype("<u8")
    return np.ascontiguousarray(whole.view(np.uint8).reshape(-1, 8)[:, :_BYTES_PER_DRAW]).reshape(-1)
