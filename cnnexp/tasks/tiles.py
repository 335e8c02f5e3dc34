"""Samples larger than a net should be given at once, answered in tiles: no seam, and memory has a bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

TILE_PX = {2: 256, 3: 48}
"""Side of an exact tile, less what it is given around, of pictures and of volumes; more where samples are larger."""
ALIGNED = 8
"""Blended tiles begin at multiples of it, where they are large enough, so that most poolings see the blocks that one
pass would."""
RIM = 8
"""One part in so many of a blended tile, at each of its inner edges, counts for nothing: there the padding is seen."""

Net = Callable[[Tensor], Tensor]
Place = Sequence[tuple[int, int]]
"""Where a tile begins and ends along each axis."""


@dataclass(frozen=True)
class Sight:
    """How far a net sees along each axis of a sample.

    Attributes:
        reach: pixels to each side of an aligned block that the block's answer depends on, at most.
        aligned: where blocks begin, at multiples of it: the pixels that poolings take together.
    """

    reach: tuple[int, ...]
    aligned: tuple[int, ...]


def sight_of(net: nn.Module, axes: int) -> Sight | None:
    """What a net says of it by ``reach`` and ``aligned``, numbers or one for each axis; None where it says nothing."""
    reach, aligned = getattr(net, "reach", None), getattr(net, "aligned", 1)
    return None if reach is None else Sight(_of_each(reach, axes), _of_each(aligned, axes))


def is_larger(x: Tensor, size: Sequence[int]) -> bool:
    """Whether samples (B, C, ...) are longer than a size along one of its axes."""
    return any(given > usual for given, usual in zip(x.shape[2:], size, strict=True))


def in_tiles(
    net: Net,
    x: Tensor,
    sight: Sight | None,
    *,
    size: Sequence[int] | None = None,
    said: Net = lambda answer: answer,
    factor: int = 1,
    tile: int | None = None,
) -> Tensor:
    """What a net says of samples (B, C, ...) of any size, with one tile at a time in the net.

    Where its sight is known, that is the answer of one pass, to rounding: each tile is given all of the sample around
    it that its pixels depend on, and what depends on the tile's own edges is cut away. Else tiles overlap by half or
    more, and where several see a place their answers are averaged, with weights that fall to nothing towards a tile's
    inner edges: there is no seam, and of a net that sees no farther than an eighth of a tile it is that of one pass.

    Args:
        size: of the samples that the net is used to; without it, and without a sight, the net is asked in one pass.
        said: made of each answer before answers are averaged, such as probabilities.
        factor: the answer's size over the sample's; 1 where answers are averaged. tile: side of an exact tile.
    """
    if sight is not None:
        usual = tile or TILE_PX[x.ndim - 2]
        sides = tuple(tile or max(usual, one) for one in size or (usual,) * (x.ndim - 2))
        return _exact(net, x, sight, sides, said, factor) if is_larger(x, sides) else said(net(x))
    return said(net(x)) if size is None or not is_larger(x, size) else _blended(net, x, size, said)


def _exact(net: Net, x: Tensor, sight: Sight, sides: Sequence[int], said: Net, factor: int) -> Tensor:
    whole, lengths = None, x.shape[2:]
    for place in product(*map(_parts, lengths, sides, sight.aligned)):
        wide = [_wider(*one) for one in zip(place, sight.reach, sight.aligned, lengths, strict=True)]
        answer = said(net(x[_window(wide)]))
        own = [(start - begin, end - begin) for (start, end), (begin, _) in zip(place, wide, strict=True)]
        if whole is None:
            whole = answer.new_empty(*answer.shape[:2], *(factor * length for length in lengths))
        whole[_window(place, factor)] = answer[_window(own, factor)]
    assert whole is not None
    return whole


def _parts(length: int, side: int, aligned: int) -> list[tuple[int, int]]:
    step = max(side - side % aligned, aligned)
    return [(start, min(start + step, length)) for start in range(0, length, step)]


def _wider(part: tuple[int, int], reach: int, aligned: int, length: int) -> tuple[int, int]:
    """With all that is seen; it begins where a block does, and a part that ends within one sees no farther than it."""
    start, end = part
    return max(0, start - reach - -reach % aligned), min(length, end + -end % aligned + reach)


def _blended(net: Net, x: Tensor, size: Sequence[int], said: Net) -> Tensor:
    total, weights = None, x.new_zeros(x.shape[2:])
    for place in product(*map(_stretches, x.shape[2:], size)):
        answer = said(net(x[_window(place)]))
        if total is None:
            total = answer.new_zeros(*answer.shape[:2], *x.shape[2:])
        weight = _weight(place, x.shape[2:], size, weights)
        total[_window(place)] += answer * weight
        weights[_window(place)] += weight
    assert total is not None
    return total / weights


def _stretches(length: int, size: int) -> list[tuple[int, int]]:
    """Where tiles begin and end along an axis; the last one ends with it, and may be shorter."""
    if length <= size:
        return [(0, length)]
    step = max(1, size // 2 // ALIGNED * ALIGNED or size // 2)
    count = -(-(length - size) // step) + 1
    return [(step * place, min(step * place + size, length)) for place in range(count)]


def _weight(place: Place, whole: Sequence[int], size: Sequence[int], like: Tensor) -> Tensor:
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


def _window(place: Place, factor: int = 1) -> Any:
    return (..., *(slice(factor * start, factor * end) for start, end in place))


def _of_each(given: int | Sequence[int], axes: int) -> tuple[int, ...]:
    return (given,) * axes if isinstance(given, int) else tuple(given)
