"""One resampling of a batch: bilinear for pictures, nearest for masks, along the same grid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.augmentation.geometry import Array, Frame, Geometry, extent

VOID = 255
"""The value of a mask that losses and metrics leave out, and that comes in from outside of a picture."""
PREFILTER_ABOVE = 1.5
"""A picture that shrinks by more is averaged over blocks first, so that no fine detail turns into coarse."""


class Grid(NamedTuple):
    """Source positions of every output pixel.

    Attributes:
        places: (B, H, W, 2) in torch's terms: -1 and 1 are the source's outer edges.
        within: bool (B, H, W), whether they lie in the picture.
    """

    places: Tensor
    within: Tensor


def make_grid(geometry: Geometry, frame: Frame, like: Tensor, warp: Tensor | None = None) -> Grid:
    """The source positions that a geometry gives.

    Args:
        like: of the dtype and on the device wanted.
        warp: (B, 2, H, W), a displacement in source pixels added to it.
    """
    half = extent(frame.source) / 2
    table = np.concatenate([geometry.linear, geometry.offset[:, :, None]], 2) / half[:, None]
    (a, b, tx), (c, d, ty) = torch.from_numpy(table).to(like).permute(1, 2, 0)[..., None].unbind(0)
    height, width = frame.output
    x = torch.arange(width, dtype=like.dtype, device=like.device) - (width - 1) / 2
    y = torch.arange(height, dtype=like.dtype, device=like.device) - (height - 1) / 2
    from_y, from_x = (b * y + tx, d * y + ty), (a * x, c * x)
    # as complex numbers the two coordinates are added and laid side by side in one pass
    places = torch.view_as_real(torch.complex(*from_y)[:, :, None] + torch.complex(*from_x)[:, None])
    across, down = (by_row[:, :, None] + by_column[:, None] for by_row, by_column in zip(from_y, from_x, strict=True))
    if warp is not None:
        across, down = across + warp[:, 0] / half[0], down + warp[:, 1] / half[1]
        places = torch.view_as_real(torch.complex(across, down))
    return Grid(places, torch.maximum(across.abs(), down.abs()) <= 1)


def sample(image: Tensor, grid: Grid, shrinks: Array) -> Tensor:
    """Pictures (B, C, H, W) along the grid, bilinear; black outside.

    Up to the outer edge of its outer pixels the picture is itself, so an identity changes nothing and an enlarged crop
    has no dark rim.

    Args:
        shrinks: (B, 2), by how much each picture shrinks along the source's x and y.
    """
    blocks = np.where(shrinks > PREFILTER_ABOVE, np.rint(shrinks), 1).astype(np.int64)
    moved = _bilinear(image, grid.places)
    for across, down in {(int(x), int(y)) for x, y in blocks} - {(1, 1)}:
        rows = torch.from_numpy(np.flatnonzero((blocks == (across, down)).all(1))).to(image.device)
        height, width = image.shape[-2:]
        averaged = functional.adaptive_avg_pool2d(image[rows], (max(1, height // down), max(1, width // across)))
        moved[rows] = _bilinear(averaged, grid.places[rows])
    return moved.mul_(grid.within.to(moved.dtype)[:, None])


def shrinkage(geometry: Geometry) -> Array:
    """How many source pixels along x and y one output pixel covers, (B, 2)."""
    return np.sqrt((geometry.linear**2).sum(2))


def sample_mask(mask: Tensor, grid: Grid, outside: int = VOID) -> Tensor:
    """Masks (B, H, W) along the grid, the nearest pixel's value; ``outside`` of the picture that one."""
    height, width = mask.shape[-2:]
    column = ((grid.places[..., 0] + 1) * (width / 2)).floor().long().clamp_(0, width - 1)
    row = ((grid.places[..., 1] + 1) * (height / 2)).floor().long().clamp_(0, height - 1)
    picked = mask.flatten(1).gather(1, (row * width + column).flatten(1)).view(row.shape)
    return picked.masked_fill_(~grid.within, outside)


def _bilinear(image: Tensor, grid: Tensor) -> Tensor:
    return functional.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
