"""Pictures continued beyond their edges by their mirror images."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

Sides = tuple[int, int]
"""Pixels at the top and at the bottom, or at the left and at the right."""


def mirrored(x: Tensor, rows: Sides, columns: Sides) -> Tensor:
    """Pictures (B, C, H, W) with a margin: the pixel k beyond the outermost one is the pixel k within it.

    Where a margin is wider than the picture, what is mirrored is mirrored again; a single row or column is repeated.
    """
    (above, below), (left, right) = rows, columns
    height, width = x.shape[-2:]
    while above or below or left or right:
        # at whole turns the picture so far is its own mirror image, so that each turn may mirror all of it
        up, down = _turn(above, height), _turn(below, height)
        west, east = _turn(left, width), _turn(right, width)
        x = _padded(x, (0, 0, up, down), height)
        x = _padded(x, (west, east, 0, 0), width)
        above, below, left, right = above - up, below - down, left - west, right - east
    return x


def _turn(margin: int, length: int) -> int:
    return margin if length == 1 else min(margin, length - 1)


def _padded(x: Tensor, margins: tuple[int, int, int, int], length: int) -> Tensor:
    if not any(margins):
        return x
    return F.pad(x, margins, mode="replicate" if length == 1 else "reflect")
