"""The augmentation of volumes: mirrored and turned along their axes, brightened and darkened, with noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.base import Augmenting
from cnnexp.augmentation.lanes import Lanes, chosen, symmetric
from cnnexp.augmentation.noise import gaussian
from cnnexp.errors import InputError

PLANES = {"depth": (-2, -1), "height": (-3, -1), "width": (-3, -2)}
"""The two axes that a turn about an axis exchanges."""
_LANES = {"volume_mirror": 3, "volume_turn": 6, "volume_gain": 1, "volume_offset": 1, "volume_noise": 1}


@dataclass(frozen=True)
class Moved:
    """Where each sample of a batch was cut out: from ``starts`` (B, 3) on, so many voxels along each axis."""

    starts: NDArray[np.int64]
    size: Sequence[int]

    def nearest(self, values: Tensor) -> Tensor:
        """A number for each voxel (B, D, H, W), cut out in the same place."""
        return cut(values, self.starts, self.size)


@dataclass(frozen=True)
class Turned:
    """How each sample of a batch was mirrored (B, 3), along depth, height and width, and then turned (B, 3): by so many
    quarters in the planes of ``PLANES``, one after another."""

    mirrored: NDArray[np.bool_]
    quarters: NDArray[np.int64]

    def nearest(self, values: Tensor) -> Tensor:
        """Numbers for each voxel (B, ..., D, H, W), moved."""
        moved = []
        for value, mirrored, quarters in zip(values, self.mirrored, self.quarters, strict=True):
            axes = [axis - 3 for axis in np.flatnonzero(mirrored).tolist()]
            one = value.flip(axes) if axes else value
            for plane, count in zip(PLANES.values(), quarters.tolist(), strict=True):
                one = torch.rot90(one, count, plane) if count else one
            moved.append(one)
        return torch.stack(moved)


class VolumeAugmentation(Augmenting):
    """Draws for every volume how it is mirrored and turned, a factor, a summand and noise.

    The truth goes the way of its volume, voxel for voxel: nothing is resampled. A turn by a quarter needs a plane with
    two equal sides; where they differ it is one by a half. A draw is a function of (seed, epoch, index) alone.

    Args:
        seed: of the run.
        mirror: probability of a mirroring along depth, height and width, one each.
        quarter_turn: probability of a turn about the axis of depth, height and width (by 90, 180 or 270 degrees).
        gain: 0.2 is a factor between 0.8 and 1.2. offset: 0.2 adds between -0.2 and 0.2. noise: standard deviation of
            Gaussian noise. All three in deviations of the standardised numbers.

    Raises:
        InputError: a number is out of its range.
    """

    def __init__(
        self,
        *,
        seed: int,
        mirror: tuple[float, float, float] = (0.0, 0.0, 0.0),
        quarter_turn: tuple[float, float, float] = (0.0, 0.0, 0.0),
        gain: float = 0.0,
        offset: float = 0.0,
        noise: float = 0.0,
    ) -> None:
        given = {"mirror": mirror, "quarter_turn": quarter_turn, "gain": [gain], "offset": [offset], "noise": [noise]}
        most = {"mirror": 1.0, "quarter_turn": 1.0, "gain": 1.0}
        wrong = [
            f"augmentation.{name}={_shown(values)}: expected numbers from 0 {'to 1' if name in most else 'on'}"
            for name, values in given.items()
            if not all(0 <= value <= most.get(name, float("inf")) for value in values)
        ]
        if wrong:
            raise InputError(*wrong)
        self.mirror, self.quarter_turn = np.array(mirror, np.float64), np.array(quarter_turn, np.float64)
        self.gain, self.offset, self.noise = gain, offset, noise
        self._lanes = Lanes(_LANES, seed)

    @property
    def active(self) -> bool:
        return bool(self._moves or self.gain or self.offset or self.noise)

    @property
    def _moves(self) -> bool:
        return bool(self.mirror.any() or self.quarter_turn.any())

    @torch.no_grad()
    def __call__(self, volume: Tensor, index: Tensor, epoch: int) -> tuple[Tensor, Turned]:
        """Standardised volumes (B, C, D, H, W) of the samples with these indices (B,), changed, and how they moved."""
        numbers = self._lanes.draw(index.cpu().numpy(), epoch)
        motion = self.motion(numbers["volume_mirror"], numbers["volume_turn"], volume.shape[-3:])
        if self._moves:
            volume = motion.nearest(volume)
        if self.gain or self.offset:
            factor = 1 + self.gain * symmetric(numbers["volume_gain"][:, 0])
            summand = self.offset * symmetric(numbers["volume_offset"][:, 0])
            by, plus = (torch.from_numpy(one).to(volume)[:, None, None, None, None] for one in (factor, summand))
            volume = volume * by + plus
        if self.noise:
            keys = torch.from_numpy((numbers["volume_noise"][:, 0] * 2**31).astype(np.int32)).to(volume.device)
            volume = volume + self.noise * gaussian(keys, volume[0].numel()).view(volume.shape).to(volume)
        return volume, motion

    def motion(self, mirror: NDArray[np.float64], turn: NDArray[np.float64], size: Sequence[int]) -> Turned:
        """How samples move by uniform numbers (B, 3) and (B, 6); ``size`` is that of the volumes."""
        met = np.stack([chosen(turn[:, axis : axis + 1], self.quarter_turn[axis]) for axis in range(3)], 1)
        quarters = 1 + (3 * turn[:, 3:]).astype(np.int64)
        uneven = np.array([size[first] != size[second] for first, second in PLANES.values()])
        quarters = np.where(uneven, 2, quarters)
        return Turned(mirror < self.mirror, np.where(met, quarters, 0))


def cut(values: Tensor, starts: NDArray[np.int64], size: Sequence[int]) -> Tensor:
    """Of each sample (B, ..., D, H, W) a part of one size, from ``starts`` (B, 3) on."""
    parts = []
    for value, start in zip(values, starts.tolist(), strict=True):
        places = [slice(first, first + length) for first, length in zip(start, size, strict=True)]
        parts.append(value[(..., *places)])
    return torch.stack(parts)


def _shown(values: Sequence[float]) -> str:
    shown = ",".join(f"{value:g}" for value in values)
    return f"[{shown}]" if len(values) > 1 else shown
