"""How the pictures of a batch were moved, so that what lies in them can follow."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cnnexp.augmentation import exact
from cnnexp.augmentation.geometry import Frame, Geometry
from cnnexp.augmentation.resample import VOID, Grid, sample_mask

__all__ = ["VOID", "Motion"]


@dataclass(frozen=True)
class Motion:
    """The way of every sample of a batch, and how its pixels went it.

    Attributes:
        way: from output to source, without a local warp. frame: sizes of source and output.
        grid: where pictures were resampled: the source of every pixel. cut: where all were only cut: top and left.
            Without either, whole pixels were copied, up to ``reach`` pixels beyond the edge, down and across.
    """

    way: Geometry
    frame: Frame
    grid: Grid | None = None
    cut: tuple[int, int] | None = None
    reach: tuple[int, int] = (0, 0)
    border: exact.Border = field(default_factory=lambda: exact.Border(VOID))

    def nearest(self, values: Tensor) -> Tensor:
        """A number for each pixel, uint8 (B, H, W), moved: the nearest pixel's, and ``VOID`` from outside."""
        if self.cut is not None:
            (top, left), (rows, columns) = self.cut, self.frame.output
            return values[..., top : top + rows, left : left + columns].contiguous()
        if self.grid is not None:
            return sample_mask(values, self.grid)
        return exact.move(values[:, None], self.way, self.frame, self.reach, self.border)[:, 0]

    def nearest_number(self, numbers: Tensor) -> Tensor:
        """A number for each pixel, int16 (B, H, W) and not below 0, moved: the nearest pixel's, and 0 from outside."""
        if self.cut is not None:
            return self.nearest(numbers)
        if self.grid is not None:
            return sample_mask(numbers, self.grid, outside=0)
        # whole pixels are copied as bytes
        planes = torch.stack([numbers & 255, numbers >> 8], 1).to(torch.uint8)
        low, high = exact.move(planes, self.way, self.frame, self.reach, exact.Border(0)).short().unbind(1)
        return low | high << 8
