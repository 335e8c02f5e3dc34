"""Objects told apart pixel by pixel, and the boxes that their pixels give them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from cnnexp.augmentation.boxes import NO_CLASS

NOWHERE = 0
"""The number of a pixel that belongs to no object."""
MOST_OBJECTS = 2**15 - 1
"""Of a picture: numbers are int16."""


class Boxed(NamedTuple):
    """Boxes float (B, M, 4), x1 y1 x2 y2 in pixels, and their classes int64 (B, M), -1 = padding."""

    boxes: Tensor
    classes: Tensor


def tight_boxes(numbers: Tensor, classes: Tensor) -> Boxed:
    """The boxes around the pixels of each object; one that has no pixel is padding.

    Args:
        numbers: int16 (B, H, W), 0 = none, k = the object of the k-th row of ``classes``, counted from 1.
        classes: int64 (B, M), -1 = padding.
    """
    count, most = classes.shape
    height, width = numbers.shape[-2:]
    sample, row, column = numbers.nonzero(as_tuple=True)
    number = numbers[sample, row, column].long()
    down = torch.zeros(count, most + 1, height, dtype=torch.bool, device=numbers.device)
    across = torch.zeros(count, most + 1, width, dtype=torch.bool, device=numbers.device)
    down[sample, number, row] = True
    across[sample, number, column] = True
    (y1, y2), (x1, x2) = _ends(down[:, 1:]), _ends(across[:, 1:])
    kept = (classes != NO_CLASS) & down[:, 1:].any(-1)
    boxes = torch.stack([x1, y1, x2, y2], -1).float()
    return Boxed(boxes * kept[..., None], torch.where(kept, classes, NO_CLASS))


def masks_of(numbers: Tensor, rows: Tensor) -> Tensor:
    """Which pixels belong to each of some objects of a picture, bool (n, H, W).

    Args:
        numbers: int16 (H, W). rows: int64 (n,), of the objects in its boxes, counted from 0.
    """
    return numbers == (rows + 1).to(numbers)[:, None, None]


def _ends(there: Tensor) -> tuple[Tensor, Tensor]:
    """Of bool (..., N) the first place that is true, and the one behind the last."""
    places = there.to(torch.uint8)
    return places.argmax(-1), there.shape[-1] - places.flip(-1).argmax(-1)
