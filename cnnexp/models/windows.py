"""Square windows on pictures: drawn around objects and between them, cut out, and what each is to learn."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnexp.models.anchored import ranks

NO_OBJECT, UNSAID = -1, -2
_AROUND, _BETWEEN = range(2)
_NUMBERS = 3
"""Random numbers that a window takes: two for its place, one for its size."""
REACH = 0.75
"""Half of the windows that are to be empty lie so near to an object: parts of their side from centre to centre."""


class Rule(NamedTuple):
    """Which windows show an object: it lies in their middle and fills them. In parts of a window's side.

    Attributes:
        near: an object's centre is at most so far from that of the window, along x and along y.
        far: a window whose centre is farther from that of every object shows none; between the two it is not learnt.
        fill: of the object's longer side, from and to. slack: how many times smaller or larger an object must be for a
            window to show none.
    """

    near: float = 0.1
    far: float = 0.25
    fill: tuple[float, float] = (0.5, 0.95)
    slack: float = 1.3


class Learnt(NamedTuple):
    """What windows (B, N) are to learn.

    Attributes:
        classes: int64 (B, N), ``NO_OBJECT`` where there is nothing, ``UNSAID`` where that is left open.
        boxes: (B, N, 4), centre x y, width and height as parts of the window from its upper left corner; zeros where
            there is nothing.
    """

    classes: Tensor
    boxes: Tensor


def draw(
    draws: Tensor,
    boxes: Tensor,
    classes: Tensor,
    size: tuple[int, int],
    sides: tuple[float, ...],
    around: int,
    between: int,
    rule: Rule,
) -> Tensor:
    """Windows to learn from: ``around`` for each object, shifted and sized at random as far as the rule lets them show
    it, and ``between`` for each picture, half of them anywhere and half beside objects.

    Args:
        draws: int64 (B,), a key for each picture. boxes: (B, M, 4), x1 y1 x2 y2 in pixels. classes: (B, M), -1 is
            padding. size: height and width of the pictures. sides: of the windows that are looked at in the end, in
            pixels of the picture.

    Returns:
        (B, M * around + between, 3): centre x y and side in pixels. Those of padding have side 0.
    """
    batch, most = classes.shape
    middle, longest = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]).amax(-1)
    real = classes >= 0
    u = _uniform(draws, most * around * _NUMBERS, _AROUND).view(batch, most, around, _NUMBERS).to(boxes)
    fill = rule.fill[0] * (rule.fill[1] / rule.fill[0]) ** u[..., 2:]
    side = longest[..., None, None] / fill
    shown = torch.cat([middle[:, :, None] + (2 * u[..., :2] - 1) * rule.near * side, side], -1) * real[..., None, None]
    u = _uniform(draws, between * (_NUMBERS + 1), _BETWEEN).view(batch, between, _NUMBERS + 1).to(boxes)
    side = boxes.new_tensor(sides)[(u[..., 2] * len(sides)).long()][..., None]
    anywhere = u[..., :2] * boxes.new_tensor([size[1], size[0]])
    if most:
        # of the real objects each with the same chance: they stand first in their row in any order
        order, count = real.int().argsort(dim=1, descending=True, stable=True), real.sum(1, keepdim=True)
        which = order.gather(1, (u[..., 3] * count).long().clamp(max=most - 1))
        beside = middle.gather(1, which[..., None].expand(-1, -1, 2)) + (2 * u[..., :2] - 1) * REACH * side
        odd = (torch.arange(between, device=boxes.device) % 2 == 1)[:, None] & (count > 0)[..., None]
        anywhere = torch.where(odd, beside, anywhere)
    return torch.cat([shown.flatten(1, 2), torch.cat([anywhere, side], -1)], 1)


def learnt(windows: Tensor, boxes: Tensor, classes: Tensor, rule: Rule) -> Learnt:
    """What each window is to learn: the object with the nearest centre of those that it shows by the rule.

    Args:
        windows: (B, N, 3), centre x y and side in pixels; those of side 0 are left open.
        boxes: (B, M, 4), x1 y1 x2 y2 in pixels. classes: int64 (B, M), -1 is padding.
    """
    if boxes.shape[1] == 0:  # a batch without any object still needs something to take the minimum over
        boxes, classes = F.pad(boxes, (0, 0, 0, 1)), F.pad(classes, (0, 1), value=-1)
    side = windows[..., 2].clamp(min=1e-6)[:, :, None]
    middle, extent = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
    away = (middle[:, None] - windows[:, :, None, :2]).abs().amax(-1) / side  # (B, N, M)
    fill = extent.amax(-1)[:, None] / side
    real = (classes >= 0)[:, None]
    low, high = rule.fill
    shown = real & (away <= rule.near) & (fill >= low) & (fill <= high)
    doubtful = real & (away <= rule.far) & (fill >= low / rule.slack) & (fill <= high * rule.slack)
    nearest, which = away.masked_fill(~shown, math.inf).min(2)
    there = nearest.isfinite()
    found = classes.gather(1, which).where(there, torch.where(doubtful.any(2), UNSAID, NO_OBJECT))
    rows = which[..., None].expand(-1, -1, 2)
    centre = (middle.gather(1, rows) - windows[..., :2]) / side + 0.5
    place = torch.cat([centre, extent.gather(1, rows) / side], -1)
    return Learnt(found.masked_fill(windows[..., 2] <= 0, UNSAID), place * there[..., None])


def cut(x: Tensor, windows: Tensor, pixels: int) -> Tensor:
    """Windows of pictures (B, C, H, W), resampled to ``pixels`` a side: (B, N, C, pixels, pixels).

    Bilinear as when the whole picture is resized; beyond the edge its last pixels are repeated.

    Args:
        windows: (B, N, 3), centre x y and side in pixels.
    """
    count, height, width = windows.shape[1], x.shape[2], x.shape[3]
    steps = (torch.arange(pixels, device=x.device, dtype=x.dtype) + 0.5) / pixels - 0.5
    across, down = (windows[..., axis, None] + steps * windows[..., 2, None] for axis in (0, 1))  # (B, N, pixels)
    shape = (*windows.shape[:2], pixels, pixels)
    grid = torch.stack(
        [(2 * across / width - 1)[:, :, None].expand(shape), (2 * down / height - 1)[..., None].expand(shape)], -1
    )
    found = F.grid_sample(x, grid.flatten(1, 2), padding_mode="border", align_corners=False)
    return found.view(len(x), x.shape[1], count, pixels, pixels).transpose(1, 2)


def _uniform(draws: Tensor, count: int, stream: int) -> Tensor:
    """Numbers in [0, 1), float64 (B, count); the first ones of a picture are the same however many are asked for."""
    return (ranks(draws, count, stream) >> 10).double() * 2.0**-53
