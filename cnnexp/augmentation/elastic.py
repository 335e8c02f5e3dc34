"""Local warping: random displacements at a few points, smooth in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.augmentation.geometry import Array
from cnnexp.augmentation.lanes import Numbers, chosen, normal


@dataclass(frozen=True)
class Elastic:
    """Gaussian displacements on a coarse grid, bicubic in between (Ronneberger 2015, "U-Net", section 3.1).

    U-Net took 3×3 points and a standard deviation of 10 pixels for 512×512 pictures.

    Args:
        strength: standard deviation of a point's displacement, as a part of the picture's shorter side.
        points: of the coarse grid, along each side; 2 to 8.
    """

    strength: float
    points: int
    probability: float
    most: ClassVar[int] = 8

    @property
    def lanes(self) -> int:
        return 1 + 2 * self.points**2 + 2 * self.points**2 % 2

    @property
    def active(self) -> bool:
        return bool(self.strength and self.probability)

    def displacements(self, u: Numbers, shorter: int) -> Array:
        """Of the points, float64 (B, 2, points, points), in pixels along x and y."""
        first, second = np.split(u[:, 1:], 2, 1)
        # one pair of uniform numbers gives two normal ones
        both = np.concatenate([normal(first, second), normal(first, second - 0.25)], 1)
        moved = both.reshape(-1, 2, self.points, self.points) * self.strength * shorter
        return moved * chosen(u, self.probability)[:, None, None, None]


def field(displacements: Tensor, size: tuple[int, int]) -> Tensor:
    """Displacements (B, 2, points, points) → of every pixel (B, 2, H, W); the outer points lie on the outer pixels."""
    with torch.no_grad():
        return functional.interpolate(displacements, size, mode="bicubic", align_corners=True)
