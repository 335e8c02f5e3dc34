"""Translation: whether the maps of a net move with its picture (equivariance), and its answer stays (invariance).

A convolution of stride 1 is equivariant: a picture that moved by k pixels gives maps that moved by k. Behind layers of
total stride s this holds for multiples of s only, and nowhere at the border, where new pixels come in and padding is
seen (Goodfellow, Bengio, Courville 2016, "Deep learning", section 9.2; Azulay and Weiss 2019, "Why do deep
convolutional networks generalize so poorly to small image transformations?").
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnexp.visualize.maps import Layer, Maps

DOWN, RIGHT = 0, 1
"""Axes to move along, of (height, width)."""
_BATCH = 50


@dataclass(frozen=True)
class ShiftResult:
    """What was measured for each shift.

    Attributes:
        shifts: in pixels. layers: those measured.
        differences: by a layer's name ‖f(Tx) − T f(x)‖ / ‖f(Tx) − mean‖ for each shift, over the part of the maps that
            sees neither border nor new pixels, the mean being each map's own; 0 is exact equivariance, and None stands
            where no such part is left. everywhere: the same over all that both maps have, the border too.
        agreement: part of the pictures with the answer that they have where they are.
        probability: mean probability of that answer. accuracy: where the labels are known.
    """

    shifts: list[int]
    layers: list[Layer]
    differences: dict[str, list[float | None]]
    everywhere: dict[str, list[float | None]]
    agreement: list[float]
    probability: list[float]
    accuracy: list[float] | None


def moved(pictures: Tensor, shift: int, axis: int) -> Tensor:
    """Pictures (B, C, H, W) moved down or right by whole pixels; what comes in repeats the edge.

    Raises:
        ValueError: nothing of the picture would be left.
    """
    side = pictures.shape[axis - 2]
    if not 0 <= shift < side:
        raise ValueError(f"a shift by {shift} of a picture with {side} pixels")
    return pictures.index_select(axis - 2, (torch.arange(side, device=pictures.device) - shift).clamp(min=0))


@torch.no_grad()
def measure(
    net: nn.Module,
    prepare: Callable[[Tensor], Tensor],
    pictures: Tensor,
    labels: Tensor | None,
    shifts: Sequence[int],
    layers: Sequence[Layer],
    axis: int = RIGHT,
) -> ShiftResult:
    """Move pictures, and compare what the net makes of them.

    Args:
        net: pictures → logits (B, K), in evaluation mode. prepare: stored pictures → what the net takes.
        pictures: uint8 (N, C, H, W). labels: int64 (N,). shifts: in pixels, 0 or more. axis: DOWN or RIGHT.
    """
    shape = prepare(pictures[:1]).shape
    found = [_OfShift(shift, axis, layers, interior(net, layers, shape, shift, axis)) for shift in shifts]
    with Maps(net, [layer.name for layer in layers]) as maps:
        for start in range(0, len(pictures), _BATCH):
            batch = pictures[start : start + _BATCH]
            known = None if labels is None else labels[start : start + _BATCH]
            first = net(prepare(batch)).softmax(1).argmax(1)
            before = {layer.name: maps[layer.name] for layer in layers}
            for one in found:
                one.add_answers(net(prepare(moved(batch, one.shift, axis))).softmax(1), first, known)
                one.add_maps(before, maps)
    return ShiftResult(
        list(shifts),
        list(layers),
        {layer.name: [one.inside[layer.name].relative for one in found] for layer in layers},
        {layer.name: [one.everywhere[layer.name].relative for one in found] for layer in layers},
        [one.same / len(pictures) for one in found],
        [one.likely / len(pictures) for one in found],
        None if labels is None else [one.right / len(pictures) for one in found],
    )


@torch.no_grad()
def interior(net: nn.Module, layers: Sequence[Layer], shape: Sequence[int], shift: int, axis: int) -> dict[str, Tensor]:
    """Which rows or columns of each layer's maps of the unmoved picture can be found again in those of the moved one.

    They see neither the border, where padding begins, nor the pixels that the shift pushes out. NaN in all those pixels
    spreads to whatever sees them. In double precision torch convolves directly: the transforms behind quicker ways
    would spread it further.

    Returns:
        For each layer bool (side of its maps,).
    """
    probe = copy.deepcopy(net).cpu().double().eval()
    image = torch.zeros(1, *shape[1:], dtype=torch.float64)
    side = shape[axis - 2]
    # so wide that the last pixels which a stride skips do not hide it
    edge = max((layer.stride[axis] for layer in layers), default=1)
    for start, end in ((0, 1), (max(0, side - shift - edge), side)):
        image.narrow(axis - 2, start, end - start).fill_(float("nan"))
    with Maps(probe, [layer.name for layer in layers]) as maps:
        probe(image)
    others = (0, 1, 3) if axis == DOWN else (0, 1, 2)
    return {layer.name: ~maps[layer.name].isnan().any(dim=others) for layer in layers}


class _OfShift:
    """Sums over batches of what one shift does."""

    def __init__(self, shift: int, axis: int, layers: Sequence[Layer], interiors: dict[str, Tensor]) -> None:
        self.shift = shift
        self.same = self.likely = self.right = 0.0
        self.inside, self.everywhere = ({layer.name: _Difference() for layer in layers} for _ in range(2))
        self._axis, self._layers, self._interiors = axis, layers, interiors

    def add_answers(self, probabilities: Tensor, first: Tensor, labels: Tensor | None) -> None:
        """Of the moved pictures (B, K), beside the answers (B,) of the unmoved ones."""
        answers = probabilities.argmax(1)
        self.same += float((answers == first).sum())
        self.likely += float(probabilities.gather(1, first[:, None]).sum())
        if labels is not None:
            self.right += float((answers == labels.to(answers.device)).sum())

    def add_maps(self, before: Mapping[str, Tensor], after: Maps) -> None:
        for layer in self._layers:
            pair, inside = (before[layer.name], after[layer.name]), self._interiors[layer.name]
            self.inside[layer.name].add(*pair, inside, self.shift, layer, self._axis)
            self.everywhere[layer.name].add(*pair, torch.ones_like(inside), self.shift, layer, self._axis)


class _Difference:
    """Sums of squares over batches."""

    def __init__(self) -> None:
        self._difference = 0.0
        self._count = 0
        self._sum: Tensor | float = 0.0
        self._square: Tensor | float = 0.0

    def add(self, before: Tensor, after: Tensor, inside: Tensor, shift: int, layer: Layer, axis: int) -> None:
        """Compare maps of the unmoved and the moved picture.

        A shift by a part of the stride is looked for between two places, by linear interpolation.
        """
        steps, rest = divmod(shift, layer.stride[axis])
        part = rest / layer.stride[axis]
        places = _places(inside, steps, rest > 0)
        if not len(places):
            return
        places = places.to(before.device)
        dimension = axis - 2
        expected = before.index_select(dimension, places).double()
        if rest:
            # the map at u moves to u + steps + part: between this place and the next
            expected = (1 - part) * before.index_select(dimension, places + 1).double() + part * expected
        found = after.index_select(dimension, places + steps + (1 if rest else 0)).double()
        self._difference += float((found - expected).square().sum())
        self._count += found.numel() // found.shape[1]
        self._sum = self._sum + found.sum((0, 2, 3))
        self._square = self._square + found.square().sum((0, 2, 3))

    @property
    def relative(self) -> float | None:
        """The root of the squared difference over that of the maps less their means."""
        if not self._count:
            return None
        assert isinstance(self._sum, Tensor) and isinstance(self._square, Tensor)
        spread = float((self._square - self._sum.square() / self._count).clamp(min=0).sum())
        return (self._difference / spread) ** 0.5 if spread > 0 else 0.0 if self._difference == 0 else None


def _places(inside: Tensor, steps: int, between: bool) -> Tensor:
    """Places u that are inside, with their counterparts at u + steps still on the map; of two neighbours the first."""
    side = len(inside)
    usable = inside.clone()
    if between:
        usable[:-1] &= inside[1:]
        usable[-1] = False
    usable[max(0, side - steps - (1 if between else 0)) :] = False
    return usable.nonzero().flatten()
