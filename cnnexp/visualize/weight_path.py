"""The plane in which a training's way through the weights is widest, and a grid over it.

Random directions are nearly orthogonal to any way through so many weights: projected on them it shrinks to a point.
So the plane is spanned by the first two principal components of the weights' differences to the last ones (Li, Xu,
Taylor, Studer and Goldstein 2018, "Visualizing the loss landscape of neural nets", section 7.2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from cnnexp.visualize.loss_surface import Direction

_FLAT = 1e-12
"""Of the first component's variance: below it, a second one is rounding."""
_MARGIN = 0.15
"""Of the path's width, beside it on each side."""


def principal(path: Sequence[Mapping[str, Tensor]]) -> tuple[list[Direction], tuple[float, float]]:
    """The first two principal components of weights, those of the end among them.

    Components have length 1 over all parameters together, so a step along one is a distance between weights; they are
    not filter-normalised. The path begins to the left and above: the first weights lie at −a and +b of the last.

    Args:
        path: weights by parameter name, from the first to the last, at least three.

    Returns:
        The two directions, and the part of the path's variance that each explains.

    Raises:
        ValueError: the weights lie on a line.
    """
    end = path[-1]
    products = torch.zeros(len(path), len(path), dtype=torch.float64)
    for name in end:
        ways = _ways(path, name)
        products += ways @ ways.T
    variances, mixes = (one.flip(-1) for one in torch.linalg.eigh(products))  # the largest first
    if variances[1] <= _FLAT * variances[0]:
        raise ValueError("the weights moved in less than two directions")
    mixes = mixes[:, :2] / variances[:2].sqrt()
    found = {name: mixes.T @ _ways(path, name) for name in end}  # (2, numbers of the parameter)
    start = sum((found[name] @ (path[0][name] - end[name]).flatten().cpu().double() for name in end), torch.zeros(2))
    signs = torch.where(start > 0, 1.0, -1.0) * torch.tensor([-1.0, 1.0])
    directions: list[Direction] = [
        {name: (signs[which] * found[name][which]).view(one.shape).to(one) for name, one in end.items()}
        for which in range(2)
    ]
    first, second = (variances[:2] / variances.clamp(min=0).sum()).tolist()
    return directions, (first, second)


def _ways(path: Sequence[Mapping[str, Tensor]], name: str) -> Tensor:
    """The differences of a parameter to its last values, less their mean, (points, numbers)."""
    rows = torch.stack([weights[name].detach().flatten().cpu().double() for weights in path])
    ways = rows - rows[-1]
    return ways - ways.mean(0)


def axis_over(values: Sequence[float], count: int) -> list[float]:
    """So many places in equal steps, one of them 0, that go beyond all values.

    Args:
        values: with 0 among them. count: at least 3.
    """
    low, high = min(values), max(values)
    margin = _MARGIN * (high - low)
    low, high = low - margin, high + margin
    steps = {before: max(-low / before, high / (count - 1 - before)) for before in range(1, count - 1)}
    before, step = min(steps.items(), key=lambda one: one[1])
    digits = 3 - math.ceil(math.log10(step))
    step = math.ceil(step * 10**digits) / 10**digits  # so that another order of summation leaves the points as they are
    return [round(step * place, digits) for place in range(-before, count - before)]
