"""Rotation: a filter's response to a picture that turns, and that of the maximum over filters which are turned.

Pooling over places makes a net indifferent to shifts; a maximum over filters that learned several orientations makes it
indifferent to rotations (Goodfellow, Bengio, Courville 2016, "Deep learning", section 9.3 and figure 9.9). Here the
filters are one template turned in steps, and the maximum is the maxout layer that nets have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.models.activations import Maxout

_FINER = 4


@dataclass(frozen=True)
class RotationResult:
    """What was measured, each a mean over the pictures.

    Attributes:
        filter_degrees: by which the filters are turned. degrees: by which the pictures are.
        single: response of the upright filter at each rotation. largest: of the maximum over the filters.
        winners: for each filter, at each rotation, the part of the pictures for which it is the largest.
        others_single, others_largest: the same responses to other classes' pictures where they stand upright.
        template: (4 H, 4 W), the upright filter. pictures: how many.
    """

    filter_degrees: list[float]
    degrees: list[float]
    single: list[float]
    largest: list[float]
    winners: list[list[float]]
    others_single: float
    others_largest: float
    template: Tensor
    pictures: int

    def width(self, responses: Sequence[float], part: float) -> float | None:
        """Degrees to either side of 0 within which the response stays above a part of that at 0; None: of all that
        was measured."""
        at_rest = responses[self.degrees.index(0.0)]
        below = [abs(angle) for angle, one in zip(self.degrees, responses, strict=True) if one < part * at_rest]
        inside = [abs(angle) for angle in self.degrees if not below or abs(angle) < min(below)]
        return max(inside) if below else None


def turned(pictures: Tensor, degrees: float) -> Tensor:
    """Pictures (B, C, H, W) turned counterclockwise about their middle, bilinear, with zeros around."""
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    height, width = pictures.shape[-2:]
    # in units of half a side, which are of different lengths down and across
    matrix = torch.tensor([[cosine, -sine * height / width, 0], [sine * width / height, cosine, 0]])
    grid = functional.affine_grid(matrix[None].expand(len(pictures), -1, -1), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, align_corners=False)


def enlarged(pictures: Tensor) -> Tensor:
    """Pictures (B, 1, H, W) on a finer grid, bicubic.

    Turning blurs by part of a pixel, and not at 0 degrees: on the finer grid that hardly counts.
    """
    return functional.interpolate(pictures, scale_factor=float(_FINER), mode="bicubic", align_corners=False)


def unit(pictures: Tensor) -> Tensor:
    """Each picture (B, 1, H, W) less its mean, divided by its norm: products are correlations in [−1, 1] then."""
    centred = pictures - pictures.mean((1, 2, 3), keepdim=True)
    norms = centred.flatten(1).norm(dim=1).clamp(min=1e-12)
    return centred / norms[:, None, None, None]


@torch.no_grad()
def measure(
    training: Tensor, pictures: Tensor, others: Tensor, filter_degrees: Sequence[float], degrees: Sequence[float]
) -> RotationResult:
    """Turn pictures of one class, and see what filters made of the mean of its training pictures answer.

    Args:
        training, pictures, others: (N, 1, H, W) of any scale: those whose mean is the template, those that are turned,
            and pictures of other classes. filter_degrees: with 0. degrees: with 0.
    """
    training, pictures, others = (enlarged(one) for one in (training, pictures, others))
    template = training.mean(0, keepdim=True)
    filters = torch.cat([unit(turned(template, angle)) for angle in filter_degrees])
    maxout, upright = Maxout(len(filters)), list(filter_degrees).index(0.0)

    def responses(shown: Tensor) -> Tensor:
        return functional.conv2d(unit(shown), filters)  # (B, filters, 1, 1): each filter is as large as a picture

    single, largest, winners = [], [], []
    for angle in degrees:
        found = responses(turned(pictures, angle))
        single.append(float(found[:, upright].mean()))
        largest.append(float(maxout(found).mean()))
        first = found.flatten(1).argmax(1)
        winners.append(torch.bincount(first, minlength=len(filters)).div(len(first)).tolist())
    to_others = responses(others)
    return RotationResult(
        list(filter_degrees),
        list(degrees),
        single,
        largest,
        [list(one) for one in zip(*winners, strict=True)],
        float(to_others[:, upright].mean()),
        float(maxout(to_others).mean()),
        template[0, 0],
        len(pictures),
    )
