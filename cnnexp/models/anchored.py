"""What detectors with anchors share: truth without padding, and samples of anchors that depend on nothing but a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from cnnexp.errors import InputError

# splitmix64's, as torch's signed numbers
_GAMMA = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)


class Chosen(NamedTuple):
    """Which of the candidates of each picture are learnt from, bool (B, N) both."""

    positive: Tensor
    negative: Tensor


def truth_of(boxes: Tensor, classes: Tensor) -> list[dict[str, Tensor]]:
    """Boxes (B, M, 4) and classes (B, M) as torchvision has them: a dict for each picture, without padding (-1).

    Returns:
        ``boxes`` (n, 4) and ``labels`` int64 (n,), counted from 0.
    """
    kept = classes >= 0
    return [
        {"boxes": own[real], "labels": label[real]} for own, label, real in zip(boxes, classes, kept, strict=True)
    ]


def ranks(draws: Tensor, count: int, stream: int) -> Tensor:
    """Random numbers, int64 (B, count), at least 0: the first outputs of splitmix64 from a state for each picture.

    The same on every machine and for any batch that a picture is in.

    Args:
        draws: int64 (B,), a key for each picture. stream: keeps samples for different ends apart.
    """
    places = torch.arange(1, count + 1, device=draws.device)
    state = _mixed(_mixed(draws) + stream)[:, None] + places * _GAMMA
    return _shifted(_mixed(state), 1)


def choose(labels: Tensor, order: Tensor, number: int, part: float) -> Chosen:
    """Take up to ``number`` candidates of each picture, positives among them up to a part, the rest negatives.

    torchvision's ``BalancedPositiveNegativeSampler``, but for where the chance is from.

    Args:
        labels: (B, N), at least 1 for positives, 0 for negatives, -1 for those that are left out.
        order: int64 (B, N): those with the lowest numbers are taken.
        part: of ``number`` in [0, 1].
    """
    positive, negative = labels >= 1, labels == 0
    positives = positive.sum(1).clamp(max=int(number * part))
    negatives = torch.minimum(negative.sum(1), number - positives)
    return Chosen(_lowest(positive, order, positives), _lowest(negative, order, negatives))


def _lowest(allowed: Tensor, order: Tensor, counts: Tensor) -> Tensor:
    """Of the allowed ones the ``counts`` (B,) with the lowest numbers."""
    most = int(counts.max()) if len(counts) else 0
    if most == 0:
        return torch.zeros_like(allowed)
    waiting = order.masked_fill(~allowed, torch.iinfo(order.dtype).max)
    lowest = waiting.topk(most, dim=1, largest=False, sorted=True).values
    bound = lowest.gather(1, (counts - 1).clamp(min=0)[:, None])
    return allowed & (order <= bound) & (counts > 0)[:, None]


def _mixed(state: Tensor) -> Tensor:
    state = (state ^ _shifted(state, 30)) * _MIX_1
    state = (state ^ _shifted(state, 27)) * _MIX_2
    return state ^ _shifted(state, 31)


def _shifted(state: Tensor, bits: int) -> Tensor:
    """To the right, zeros from the left: torch has no unsigned numbers to calculate with."""
    return (state >> bits) & ((1 << (64 - bits)) - 1)


def refuse_small(image_size: tuple[int, int], stride: int) -> None:
    """Refuse pictures that the coarsest map has no cell for.

    Args:
        image_size: height and width in pixels. stride: the largest, in pixels.

    Raises:
        InputError: names the smallest size.
    """
    if min(image_size) < stride:
        raise InputError(
            f"data.image_size=[{image_size[0]},{image_size[1]}]: smaller than the largest of model.strides, {stride} "
            f"pixels; take smaller strides, or set data.image_size=[{stride},{stride}]"
        )


def anchor_sizes_of(
    given: Sequence[Sequence[float]] | None, strides: Sequence[int], times: int
) -> tuple[tuple[float, ...], ...]:
    """Sides of the anchors of each map in pixels; those that are not given are so many times the map's stride.

    Raises:
        InputError: there are not as many as maps, or a map has none.
    """
    if given is None:
        return tuple((float(times * stride),) for stride in strides)
    if len(given) != len(strides) or any(not sizes or min(sizes) <= 0 for sizes in given):
        listed = ",".join(map(str, strides))
        raise InputError(
            f"model.anchor_sizes: {len(given)} lists of sizes for {len(strides)} maps, at strides of {listed} pixels; "
            "give a list for each, of sizes in pixels above 0"
        )
    return tuple(tuple(sizes) for sizes in given)


def refuse_large(sizes: Sequence[Sequence[float]], image_size: tuple[int, int]) -> None:
    """Refuse anchors that no picture can hold.

    Args:
        sizes: of each map, sides in pixels.

    Raises:
        InputError: names them.
    """
    side = max(image_size)
    wrong = [f"{one:g}" for own in sizes for one in own if one > side]
    if wrong:
        raise InputError(
            f"model.anchor_sizes: anchors of {', '.join(wrong)} pixels for pictures of {image_size[0]}x"
            f"{image_size[1]}; take sizes up to {side}, or larger pictures"
        )
