"""Samples larger than a net was trained with, answered tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

ALIGNED = 8
"""Tiles begin at multiples of it, where they are large enough, so that poolings see the blocks that one pass would."""
RIM = 8
"""One part in so many of a tile, at each of its inner edges, counts for nothing: there the padding is seen."""


def is_larger(x: Tensor, size: Sequence[int]) -> bool:
    """Whether samples (B, C, ...) are longer than a size along one of its axes."""
    return any(given > usual for given, usual in zip(x.shape[2:], size, strict=True))


@torch.no_grad()
def tiled_classes(net: nn.Module, x: Tensor, size: Sequence[int]) -> Tensor:
    """The class of each pixel or voxel (B, ...) of samples (B, C, ...) of any size.

    Tiles of the net's usual size overlap by half or more. Where several see a place, their probabilities are averaged
    with weights that fall to nothing towards a tile's inner edges: there is no seam, and of a net that sees no farther
    than an eighth of a tile the answer is that of one pass. Only one tile at a time is in the net.
    """
    total = None
    for place in product(*(_stretches(length, usual) for length, usual in zip(x.shape[2:], size, strict=True))):
        window: Any = (..., *(slice(start, end) for start, end in place))
        probabilities = net(x[window]).softmax(1)
        if total is None:
            total = probabilities.new_zeros(*probabilities.shape[:2], *x.shape[2:])
        total[window] += probabilities * _weight(place, x.shape[2:], size, probabilities)
    assert total is not None
    return total.argmax(1)  # all classes of a place have been weighed alike


def _stretches(length: int, size: int) -> list[tuple[int, int]]:
    """Where tiles begin and end along an axis; the last one ends with it, and may be shorter."""
    if length <= size:
        return [(0, length)]
    step = max(1, size // 2 // ALIGNED * ALIGNED or size // 2)
    count = -(-(length - size) // step) + 1
    return [(step * place, min(step * place + size, length)) for place in range(count)]


def _weight(place: Sequence[tuple[int, int]], whole: Sequence[int], size: Sequence[int], like: Tensor) -> Tensor:
    weight = like.new_ones(())
    for (start, end), length, usual in zip(place, whole, size, strict=True):
        weight = weight[..., None] * _ramp(start, end, length, usual // RIM, like)
    return weight


def _ramp(start: int, end: int, length: int, rim: int, like: Tensor) -> Tensor:
    """1 in the middle and at the sample's own edges; falling to 0 at a rim before the tile's inner edges."""
    places = torch.arange(start, end, dtype=like.dtype, device=like.device)
    reach = max(1.0, (end - start) / 2 - rim)
    left = places - start + 1 - rim if start else torch.full_like(places, reach)
    right = end - places - rim if end < length else torch.full_like(places, reach)
    return (torch.minimum(left, right) / reach).clamp(0, 1)
