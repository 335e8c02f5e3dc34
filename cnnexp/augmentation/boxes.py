"""Boxes moved by the matrix that moves their picture."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnexp.augmentation.geometry import Frame, Geometry

NO_CLASS = -1
"""The class of a padded box."""
VISIBLE_PART = 0.25
"""A box of which less than this part stays in the picture is dropped."""


def move_boxes(geometry: Geometry, boxes: Tensor, classes: Tensor, frame: Frame) -> tuple[Tensor, Tensor]:
    """Boxes around the moved corners, clipped to the picture; those of which too little stays visible are dropped.

    Args:
        boxes: float (B, M, 4), x1 y1 x2 y2 in pixels of the source. classes: int64 (B, M), -1 = padding.

    Returns:
        Boxes and classes of the same shapes; a dropped box is padding.
    """
    (height, width), (rows, columns) = frame
    size = boxes.new_tensor([columns, rows])
    back = geometry.inverse()
    linear, offset = (torch.from_numpy(part).to(boxes) for part in back)
    x1, y1, x2, y2 = boxes.unbind(-1)
    corners = torch.stack([x1, y1, x2, y1, x1, y2, x2, y2], -1).view(*boxes.shape[:2], 4, 2)
    centred = corners - boxes.new_tensor([width, height]) / 2
    moved = torch.einsum("bij,bmkj->bmki", linear, centred) + offset[:, None, None] + size / 2
    low, high = moved.amin(2), moved.amax(2)
    area = (high - low).prod(-1)
    low, high = low.clamp(min=0).minimum(size), high.clamp(min=0).minimum(size)
    visible = (high - low).prod(-1) >= VISIBLE_PART * area
    kept = visible & (area > 0) & (classes != NO_CLASS)
    return torch.cat([low, high], -1) * kept[..., None], torch.where(kept, classes, NO_CLASS)
