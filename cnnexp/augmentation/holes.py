"""Rectangles of the mean colour: cutout and random erasing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.lanes import Numbers, chosen, logarithmic

Rectangles = NDArray[np.int64]
"""Of each sample left, top, right, bottom in pixels, (B, 4); an empty one changes nothing."""


@runtime_checkable
class Hole(Protocol):
    """An operation that leaves a rectangle out."""

    lanes: ClassVar[int]

    @property
    def active(self) -> bool: ...

    def rectangles(self, u: Numbers, height: int, width: int) -> Rectangles:
        """One for each sample, for numbers (B, lanes)."""
        ...


@dataclass(frozen=True)
class Cutout:
    """A square centred at any pixel, so that part of it may lie outside (DeVries 2017, "Improved regularization").

    Args:
        size: its side, as a part of the picture's shorter side.
    """

    size: float
    probability: float
    lanes: ClassVar[int] = 3

    @property
    def active(self) -> bool:
        return bool(self.size and self.probability)

    def rectangles(self, u: Numbers, height: int, width: int) -> Rectangles:
        side = round(self.size * min(height, width))
        first = np.floor(u[:, 1:] * (width, height)).astype(np.int64) - side // 2
        return _cleared(np.concatenate([first, first + side], 1), chosen(u, self.probability), height, width)


@dataclass(frozen=True)
class Erasing:
    """A rectangle of random area and shape inside the picture (Zhong 2017, "Random erasing data augmentation").

    Up to ten tries for one that fits, as in torchvision; then the picture stays whole.
    """

    probability: float
    area: tuple[float, float]
    ratio: tuple[float, float]
    lanes: ClassVar[int] = 23

    @property
    def active(self) -> bool:
        return bool(self.probability)

    def rectangles(self, u: Numbers, height: int, width: int) -> Rectangles:
        area = (self.area[0] + u[:, 1:11] * (self.area[1] - self.area[0])) * height * width
        ratio = logarithmic(u[:, 11:21], self.ratio)
        tried = np.rint(np.stack([np.sqrt(area * ratio), np.sqrt(area / ratio)], -1))
        fits: NDArray[np.bool_] = ((tried >= 1) & (tried < (width, height))).all(-1)
        size = tried[np.arange(len(u)), fits.argmax(1)].astype(np.int64)
        first = np.floor(u[:, 21:23] * ((width, height) - size + 1)).astype(np.int64)
        met = chosen(u, self.probability) & fits.any(1)
        return _cleared(np.concatenate([first, first + size], 1), met, height, width)


def _cleared(rectangles: Rectangles, met: NDArray[np.bool_], height: int, width: int) -> Rectangles:
    return rectangles.clip(0, (width, height, width, height)) * met[:, None]


def fill(image: Tensor, rectangles: Rectangles) -> Tensor:
    """Normalised pictures (B, C, H, W) with their rectangles at the mean colour, which is 0; changed in place."""
    return image.mul_(outside(rectangles, image))


def outside(rectangles: Rectangles, image: Tensor) -> Tensor:
    """0 on the pixels of each sample's rectangle and 1 on the others, (B, 1, H, W) of the pictures' dtype."""
    height, width = image.shape[-2:]
    left, top, right, bottom = rectangles.T[:, :, None]
    x, y = np.arange(width), np.arange(height)
    columns = torch.from_numpy((x >= left) & (x < right)).to(image)
    rows = torch.from_numpy((y >= top) & (y < bottom)).to(image)
    return (1 - rows[:, :, None] * columns[:, None])[:, None]
