"""Large pictures through a net in tiles that overlap, so that memory has a bound and no seam is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

TILE_PX = 256


def in_tiles(
    net: Callable[[Tensor], Tensor], picture: Tensor, factor: int, reach: int | None, tile: int = TILE_PX
) -> Tensor:
    """What a net of convolutions answers to pictures (B, C, H, W): the same as in one pass, to rounding.

    Each tile is given as much of the picture around it as its pixels depend on, and what depends on the tile's own
    edges is cut away. At the picture's edges a tile has the same padding as the picture.

    Args:
        factor: the answer's size over the picture's. reach: pixels to each side that an answer depends on; None where
            nobody knows it: one pass. tile: side of a tile.
    """
    height, width = picture.shape[-2:]
    if reach is None or max(height, width) <= tile:
        return net(picture)
    rows = [
        torch.cat([_answered(net, picture, down, across, factor, reach) for across in _parts(width, tile)], -1)
        for down in _parts(height, tile)
    ]
    return torch.cat(rows, -2)


def _parts(length: int, tile: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + tile, length)) for start in range(0, length, tile))


def _answered(
    net: Callable[[Tensor], Tensor],
    picture: Tensor,
    down: tuple[int, int],
    across: tuple[int, int],
    factor: int,
    reach: int,
) -> Tensor:
    (top, low), (left, right) = _wider(*down, reach, picture.shape[-2]), _wider(*across, reach, picture.shape[-1])
    answer = net(picture[..., top:low, left:right])
    first, second = factor * (down[0] - top), factor * (across[0] - left)
    rows, columns = factor * (down[1] - down[0]), factor * (across[1] - across[0])
    return answer[..., first : first + rows, second : second + columns].clone()


def _wider(start: int, end: int, reach: int, length: int) -> tuple[int, int]:
    return max(0, start - reach), min(length, end + reach)
