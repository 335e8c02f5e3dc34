"""The loss around a net's weights, along directions that are random but for the size of each filter.

A net with ReLUs says the same when one layer's weights are doubled and the next one's halved, so a step of one length
means something else in every layer. In each direction every filter therefore has the length of the net's own filter,
and biases and norms do not move (Li, Xu, Taylor, Studer and Goldstein 2018, "Visualizing the loss landscape of neural
nets", section 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product

import torch
from torch import Tensor, nn

Direction = Mapping[str, Tensor]
"""By parameter name, of its shape."""
Projected = tuple[tuple[float, ...], float]
"""Steps along the directions, and the part of the squared way that they hold."""


def filter_normalised(net: nn.Module, seed: int, count: int) -> list[Direction]:
    """So many random directions from the net's weights, on its device.

    A filter is what makes one map or unit: a row of a linear layer, a kernel stack of a convolution. Parameters of one
    axis (biases, norms) have none, and their part is 0.
    """
    transposed = {
        f"{name}.weight"
        for name, module in net.named_modules()
        if isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d)
    }
    found: list[Direction] = []
    for which in range(count):
        generator = torch.Generator().manual_seed(2 * seed + which)
        direction = {}
        for name, parameter in net.named_parameters():
            drawn = torch.randn(parameter.shape, generator=generator).to(parameter)
            direction[name] = _as_long(drawn, parameter.detach(), 1 if name in transposed else 0)
        found.append(direction)
    return found


def _as_long(drawn: Tensor, weight: Tensor, axis: int) -> Tensor:
    """With each filter along this axis as long as the weight's."""
    if weight.ndim < 2:
        return torch.zeros_like(weight)
    others = [one for one in range(weight.ndim) if one != axis]
    length, own = (torch.linalg.vector_norm(one, dim=others, keepdim=True) for one in (drawn, weight))
    return drawn * own / torch.where(length > 0, length, 1)


def axis_of(reach: float, count: int) -> list[float]:
    """So many steps, an odd number, from −reach to reach; the middle one is 0."""
    half = count // 2
    return [reach * place / half for place in range(-half, half + 1)]


def points_of(axes: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    """The points of a line or a grid, the nearest to the centre first, so that what is stopped shows the middle.

    How near is measured in the reach of each axis.
    """
    reaches = [max(map(abs, axis)) for axis in axes]
    places = [place[::-1] for place in product(*reversed(axes))]
    return sorted(
        places, key=lambda place: sum((step / reach) ** 2 for step, reach in zip(place, reaches, strict=True))
    )


class Moved:
    """The net's weights moved along directions; ``to()`` with steps of 0 is the weights themselves, to the bit."""

    def __init__(self, net: nn.Module, directions: Sequence[Direction]) -> None:
        self._parameters = dict(net.named_parameters())
        self._directions = directions
        self._centre = {name: one.detach().clone() for name, one in self._parameters.items()}

    @torch.no_grad()
    def to(self, steps: Sequence[float]) -> None:
        """Go that far along each direction."""
        for name, parameter in self._parameters.items():
            place = self._centre[name]
            for step, direction in zip(steps, self._directions, strict=True):
                place = place + step * direction[name] if step else place
            parameter.copy_(place)


@contextmanager
def moving(net: nn.Module, directions: Sequence[Direction]) -> Iterator[Moved]:
    """A net whose weights are put back in the end."""
    moved = Moved(net, directions)
    try:
        yield moved
    finally:
        moved.to([0.0] * len(directions))


def project(weights: Mapping[str, Tensor], centre: Mapping[str, Tensor], directions: Sequence[Direction]) -> Projected:
    """Other weights of the same net as steps along the directions from the centre: those that come nearest to them.

    Args:
        weights, centre: by parameter name; what the directions do not name (statistics of norms) is left out.

    Returns:
        The steps, and what part of the squared way the directions hold: 1 where they span it, near 0 for random
        directions, which are nearly orthogonal to any way through so many weights.
    """
    names = list(directions[0])
    way = torch.cat([(weights[name].double() - centre[name].double()).flatten().cpu() for name in names])
    axes = torch.stack([torch.cat([one[name].double().flatten().cpu() for name in names]) for one in directions])
    steps = torch.linalg.solve(axes @ axes.T, axes @ way)
    whole = float(way @ way)
    return tuple(steps.tolist()), float((steps @ axes).square().sum()) / whole if whole else 1.0
