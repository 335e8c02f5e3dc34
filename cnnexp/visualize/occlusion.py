"""By how much a score falls where a patch hides the picture."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnexp.visualize.attributions import batch_size
from cnnexp.visualize.scores import Score

PATCHES = 6
"""So many patches lie side by side along the shorter side."""


def usual_patch(height: int, width: int) -> int:
    """The side of a patch in pixels, an even number where there is room."""
    side = max(1, round(min(height, width) / PATCHES))
    return side + side % 2 if side > 1 else 1


def occlusion(score: Score, x: Tensor, side: int, fill: Tensor) -> Tensor:
    """score(x) − score(x with a patch), for each pixel the mean over the patches that hide it, (H, W).

    Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2, with square patches
    that go on by half of their side, and beyond the edges, so that those at the edge are hidden as often as others.

    Args:
        x: (1, C, H, W). side: of a patch in pixels. fill: what stands in it, of x's shape.
    """
    height, width = x.shape[-2:]
    step = max(1, side // 2)
    places = [(top, left) for top in _starts(height, side, step) for left in _starts(width, side, step)]
    total, count = (torch.zeros(height, width, dtype=torch.float64, device=x.device) for _ in range(2))
    most = batch_size(x)
    with torch.no_grad():
        whole = score(x).double()
        for begun in range(0, len(places), most):
            part = places[begun : begun + most]
            hidden = x.repeat(len(part), *[1] * (x.ndim - 1))
            boxes = [(slice(max(0, top), top + side), slice(max(0, left), left + side)) for top, left in part]
            for picture, (rows, columns) in zip(hidden, boxes, strict=True):
                picture[:, rows, columns] = fill[0, :, rows, columns]
            falls = whole - score(hidden).double()
            for fall, (rows, columns) in zip(falls, boxes, strict=True):
                total[rows, columns] += fall
                count[rows, columns] += 1
    return total / count


def _starts(length: int, side: int, step: int) -> range:
    return range(step - side, length, step)
