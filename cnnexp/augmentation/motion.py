"""How the pictures of a batch were moved, so that what lies in them can follow."""

from __future__ import annotations

from dataclasses import dataclass, field

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
