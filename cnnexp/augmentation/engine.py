"""Geometry as one matrix for each sample, applied to picture, mask and boxes alike.

The matrices made here are exact: whole-pixel shifts, mirrors and quarter turns move pixels and never mix them, so a
batch is augmented by one gather on its uint8 values, without interpolation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cnnexp.data.base import NO_CLASS, VOID
from cnnexp.draws import uniform

VISIBLE_PART = 0.25
"""A box of which less than this part stays in the picture is dropped."""

_MIRROR_X, _MIRROR_Y, _TURNED, _TURN, _SHIFT_X, _SHIFT_Y = range(6)
_KEY = 0xA46  # keeps these draws apart from those of the order and the splits


class Geometry(NamedTuple):
    """For each sample, where an output position comes from: ``source = linear @ output + offset``.

    Coordinates are (x, y) in pixels, measured from the picture's centre.

    Attributes:
        linear: int64 (B, 2, 2), a signed permutation. offset: int64 (B, 2).
    """

    linear: Tensor
    offset: Tensor


class Augmentation:
    """Draws a geometry for every sample and applies it.

    A draw is a function of (seed, epoch, index of the sample) alone: the same on every device, for any number of
    workers, after a resume, and however a batch is split over processes.

    Args:
        shift: pixels; each picture moves by up to so many in x and y, and black (void in masks) comes in.
        mirror_horizontal: probability of a left-right flip, in [0, 1].
        mirror_vertical: probability of an upside-down flip, in [0, 1].
        quarter_turn: probability of a turn by 90°, 180° or 270°, in [0, 1]; pictures that are not square are turned
            by 180° only.
        seed: of the run.
    """

    def __init__(
        self, *, shift: int, mirror_horizontal: float, mirror_vertical: float, quarter_turn: float, seed: int
    ) -> None:
        self.shift = shift
        self.mirror_horizontal = mirror_horizontal
        self.mirror_vertical = mirror_vertical
        self.quarter_turn = quarter_turn
        self.seed = seed

    @property
    def active(self) -> bool:
        """False when nothing is switched on."""
        return bool(self.shift or self.mirror_horizontal or self.mirror_vertical or self.quarter_turn)

    def __call__(self, batch: dict[str, Tensor], epoch: int) -> dict[str, Tensor]:
        """The batch with image (B, C, H, W), mask (B, H, W), boxes (B, M, 4) and classes (B, M) moved together."""
        if not self.active:
            return batch
        height, width = batch["image"].shape[-2:]
        geometry = self.draw(batch["index"].cpu().numpy(), epoch, square=height == width)
        device = batch["image"].device
        geometry = Geometry(geometry.linear.to(device), geometry.offset.to(device))
        source, valid = _source_pixels(geometry, height, width)
        moved = dict(batch, image=_move(batch["image"], source, valid, fill=0))
        if "mask" in batch:
            moved["mask"] = _move(batch["mask"][:, None], source, valid, fill=VOID)[:, 0]
        if "boxes" in batch:
            moved["boxes"], moved["classes"] = move_boxes(geometry, batch["boxes"], batch["classes"], height, width)
        return moved

    def draw(self, index: np.ndarray, epoch: int, square: bool) -> Geometry:
        """The geometry of the samples with these indices (B,) in this epoch."""
        u = uniform(_KEY, self.seed, epoch, index[:, None], np.arange(6)[None])
        flip_x = np.where(u[:, _MIRROR_X] < self.mirror_horizontal, -1, 1)
        flip_y = np.where(u[:, _MIRROR_Y] < self.mirror_vertical, -1, 1)
        turns = 1 + (u[:, _TURN] * 3).astype(np.int64) if square else np.full(len(index), 2)
        turns = np.where(u[:, _TURNED] < self.quarter_turn, turns, 0)
        cosine, sine = np.array([1, 0, -1, 0])[turns], np.array([0, 1, 0, -1])[turns]
        linear = np.stack([cosine * flip_x, -sine * flip_y, sine * flip_x, cosine * flip_y], 1).reshape(-1, 2, 2)
        span = 2 * self.shift + 1
        offset = (u[:, [_SHIFT_X, _SHIFT_Y]] * span).astype(np.int64) - self.shift
        return Geometry(torch.from_numpy(linear.astype(np.int64)), torch.from_numpy(offset))


def _source_pixels(geometry: Geometry, height: int, width: int) -> tuple[Tensor, Tensor]:
    """For every output pixel its source as a flat position (B, H*W), and whether that lies in the picture.

    Twice the centred coordinates are whole numbers for even and odd sizes alike, so all of it is exact.
    """
    device = geometry.linear.device
    x2 = 2 * torch.arange(width, device=device) - (width - 1)
    y2 = 2 * torch.arange(height, device=device) - (height - 1)
    (a, b), (c, d) = (row.unbind(-1) for row in geometry.linear.unbind(1))
    x_offset, y_offset = geometry.offset.unbind(-1)

    def source(along_x: Tensor, along_y: Tensor, offset: Tensor, size: int) -> Tensor:
        doubled = along_x[:, None, None] * x2 + along_y[:, None, None] * y2[:, None] + 2 * offset[:, None, None]
        return (doubled + (size - 1)).div(2, rounding_mode="floor")

    column, row = source(a, b, x_offset, width), source(c, d, y_offset, height)
    valid = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    position = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
    return position.flatten(1), valid.flatten(1)


def _move(image: Tensor, source: Tensor, valid: Tensor, fill: int) -> Tensor:
    batch, channels, height, width = image.shape
    picked = image.flatten(2).gather(2, source[:, None].expand(-1, channels, -1))
    return picked.masked_fill_(~valid[:, None], fill).view(batch, channels, height, width)


def move_boxes(geometry: Geometry, boxes: Tensor, classes: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Boxes by their corners, clipped to the picture; those of which too little stays visible are dropped.

    Args:
        boxes: float (B, M, 4), x1 y1 x2 y2 in pixels. classes: int64 (B, M), -1 = padding.

    Returns:
        Boxes and classes of the same shapes; a dropped box is padding.
    """
    size = boxes.new_tensor([width, height])
    corners = boxes.reshape(*boxes.shape[:2], 2, 2) - size / 2
    shifted = corners - geometry.offset[:, None, None].to(boxes.dtype)
    # the inverse of a signed permutation is its transpose
    moved = torch.einsum("bij,bmki->bmkj", geometry.linear.to(boxes.dtype), shifted) + size / 2
    low, high = moved.amin(2), moved.amax(2)
    area = (high - low).prod(-1)
    low, high = low.clamp(min=0).minimum(size), high.clamp(min=0).minimum(size)
    visible = (high - low).prod(-1) >= VISIBLE_PART * area
    kept = visible & (area > 0) & (classes != NO_CLASS)
    return torch.cat([low, high], -1) * kept[..., None], torch.where(kept, classes, NO_CLASS)
