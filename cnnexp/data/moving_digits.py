"""Clips of handwritten digits that move one of eight ways: what a single frame does not say, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from cnnexp.data.base import SPLITS, DataSet, SplitName, TensorSplit
from cnnexp.data.mnist5k import SIDE as DIGIT_SIDE
from cnnexp.data.mnist5k import digits_of
from cnnexp.draws import uniform
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import Size, fit_pictures

COUNTS: dict[SplitName, int] = {"train": 4_000, "val": 500, "test": 1_000}
SIDE = 32
"""Of a frame as it is composed, in pixels; what leaves at one edge comes in at the other."""
DIRECTIONS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))
"""x and y of a step, y down: right, down right, down, down left, left, up left, up, up right."""
SPEEDS_PX = (1, 3)
"""Fewest and most pixels that a digit moves from frame to frame, along each axis on which it does."""

Order = Literal["forward", "reversed", "shuffled"]

# Purposes of the draws; each keeps its own stream of numbers.
_DIGIT, _DIRECTION, _SPEED, _PLACE, _ORDER = range(5)


class MovingDigits(DataSet):
    """4,000 / 500 / 1,000 grey clips of a digit that moves steadily on a torus of 32×32 pixels; the label is where to.

    The place in the first frame is uniform, and so is that in every frame, whatever the direction: no frame on its own
    says anything, nor does the digit. Every ``cut`` frames the clip goes on from another place, uniform again, in the
    same direction: otherwise the places of all frames lie on a line, and a net that sees them in any order has the
    direction but for its sign. Digits of the training split of mnist5k occur in training clips only, and so for the
    other splits. Clip ``i`` is a function of (clip_seed, split, i) alone. Clips are composed batch by batch: what lies
    in memory is their digits, places and steps.

    Args:
        image_size: height and width of the frames; other than 32×32 are resized (bilinear). channels: 1, or 3 alike.
        frames: of a clip. cut: frames until the digit jumps; None: it never does.
        order: of the frames: as it happened, from the end, or shuffled, each clip in another order. In a reversed clip
            the digit is seen to go the opposite way, and the label says so; that of a shuffled one is where it went.
        clip_seed: which clips are composed.

    Raises:
        InputError: frames or cut is below 1.
    """

    targets = ("label",)

    def __init__(
        self, *, image_size: Size, channels: int, frames: int, cut: int | None, order: Order, clip_seed: int
    ) -> None:
        if frames < 1 or (cut is not None and cut < 1):
            key, given = ("frames", frames) if frames < 1 else ("cut", cut)
            raise InputError(f"data.{key}={given}: expected a whole number of at least 1")
        self.image_size, self.channels = image_size, channels
        self.frames, self.cut, self.order = frames, cut, order
        self.clip_seed = clip_seed

    def load(self, split: SplitName) -> TensorSplit:
        plans = plans_of(self.clip_seed, split, self.frames, self.cut, self.order)
        composition = Composition(_canvases(split), self.image_size, self.channels)
        names = [f"moving_digits/{split}/{i}" for i in range(COUNTS[split])]
        return TensorSplit(plans, names=names, transform=composition)


@dataclass(frozen=True)
class Composition:
    """Plans of clips → the clips. Picklable, so that loader workers can hold it.

    Args:
        canvases: uint8 (N, 32, 32), a digit in the middle of each. image_size, channels: of the frames.
    """

    canvases: Tensor
    image_size: Size
    channels: int

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """``digit`` (B,) and ``shift`` (B, T, 2), x and y in pixels, become ``clip`` uint8 (B, T, C, H, W)."""
        plan = dict(batch)
        clip = shifted(self.canvases[plan.pop("digit").long()], plan.pop("shift").long())
        frames = fit_pictures(clip.flatten(0, 1)[:, None], self.image_size, self.channels)
        return {"clip": frames.unflatten(0, clip.shape[:2]), **plan}


def shifted(canvases: Tensor, shift: Tensor) -> Tensor:
    """Pictures (B, S, S) moved to the right and down by ``shift`` (B, T, 2) on a torus: (B, T, S, S)."""
    side = torch.arange(canvases.shape[-1])
    columns, rows = ((side - shift[..., axis, None]) % len(side) for axis in (0, 1))
    one = torch.arange(len(canvases))[:, None, None, None]
    return canvases[one, rows[..., :, None], columns[..., None, :]]


def plans_of(clip_seed: int, split: SplitName, frames: int, cut: int | None, order: Order) -> dict[str, Tensor]:
    """For each clip of a split its ``digit``, a place among those of mnist5k's split, ``shift`` (frames, 2) of each
    frame, x and y in pixels of 0 to 31, and ``label``, a place in ``DIRECTIONS``."""
    clip = np.arange(COUNTS[split])
    key = (clip_seed, SPLITS.index(split), clip)
    label = (uniform(*key, _DIRECTION) * len(DIRECTIONS)).astype(np.int64)
    slowest, fastest = SPEEDS_PX
    speed = slowest + (uniform(*key, _SPEED) * (fastest - slowest + 1)).astype(np.int64)
    time = np.arange(frames)
    part, since = np.divmod(time, frames if cut is None else cut)
    axes = np.arange(2)
    start = uniform(*(one[..., None, None] if isinstance(one, np.ndarray) else one for one in key), _PLACE,
                    part[:, None], axes)  # fmt: skip
    step = np.array(DIRECTIONS)[label] * speed[:, None]
    shift = ((start * SIDE).astype(np.int64) + step[:, None] * since[:, None]) % SIDE
    if order == "reversed":
        shift, label = shift[:, ::-1], (label + len(DIRECTIONS) // 2) % len(DIRECTIONS)
    if order == "shuffled":
        drawn = uniform(clip_seed, SPLITS.index(split), clip[:, None], _ORDER, time)
        shift = np.take_along_axis(shift, drawn.argsort(1, kind="stable")[..., None], axis=1)
    digit = (uniform(*key, _DIGIT) * len(_canvases(split))).astype(np.int64)
    return {
        "digit": torch.from_numpy(digit),
        "shift": torch.from_numpy(np.ascontiguousarray(shift, np.uint8)),
        "label": torch.from_numpy(label),
    }


@lru_cache(maxsize=len(SPLITS))
def _canvases(split: SplitName) -> Tensor:
    edge = (SIDE - DIGIT_SIDE) // 2
    return torch.from_numpy(np.pad(digits_of(split)[0], ((0, 0), (edge, edge), (edge, edge))))
