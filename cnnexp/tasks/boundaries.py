"""How well the outlines of masks are met: the boundary F1 score of pictures, and its mean over a split."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.motion import VOID
from cnnexp.tasks.means import Sums

USUAL_TOLERANCE = 0.0075
"""Of a picture's diagonal, as published."""

Pixels = NDArray[np.bool_]


def boundary_f1(prediction: NDArray[np.integer], target: NDArray[np.integer], tolerance: float) -> float:
    """The F1 score of the boundaries of classes in a picture, both (H, W); NaN where no class has one.

    P is the part of an answered class's boundary that has the true one at most ``tolerance`` pixels away, R the part of
    the true one that has the answered one so near, F1 = 2PR / (P + R); the mean over the classes that have a boundary
    in the answer or in truth. Void is of no class, and what lies beside void or the picture's edge is no boundary.

    Source: Csurka, Larlus, Perronnin 2013, "What is a good evaluation measure for semantic segmentation?", section 2.2,
    where a pixel is near that is less than the tolerance away.
    """
    valid = target != VOID
    found = []
    for number in np.union1d(prediction[valid], target[valid]):
        said, true = (boundary(valid & (mask == number), valid) for mask in (prediction, target))
        if said.any() or true.any():
            precision, recall = near(said, true, tolerance), near(true, said, tolerance)
            found.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return float(np.mean(found)) if found else math.nan


def boundary(inside: Pixels, valid: Pixels) -> Pixels:
    """The pixels of a class (H, W) that have a pixel of another class at one of their four sides."""
    other = np.pad(valid & ~inside, 1)
    beside = other[:-2, 1:-1] | other[2:, 1:-1] | other[1:-1, :-2] | other[1:-1, 2:]
    found: Pixels = inside & beside
    return found


def near(some: Pixels, others: Pixels, tolerance: float) -> float:
    """The part of some pixels that have one of the others at most so many pixels away; 0 where there are none."""
    from scipy.ndimage import distance_transform_edt

    if not some.any() or not others.any():
        return 0.0
    return float((distance_transform_edt(~others)[some] <= tolerance).mean())


class BoundaryScores(Sums):
    """The mean of the boundary F1 scores of pictures, over those in which a class has a boundary.

    Args:
        tolerance: in pixels; None for 0.75 % of the diagonal.
    """

    def __init__(self, tolerance: float | None) -> None:
        super().__init__(2, torch.float64)
        self.tolerance = tolerance

    @torch.no_grad()
    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Add a batch of classes, (B, H, W) both."""
        tolerance = self.tolerance
        if tolerance is None:
            tolerance = USUAL_TOLERANCE * math.hypot(*targets.shape[-2:])
        pairs = zip(predictions.cpu().numpy(), targets.cpu().numpy(), strict=True)
        of_each = torch.tensor([boundary_f1(*pair, tolerance) for pair in pairs], dtype=torch.float64)
        known = of_each[~of_each.isnan()]
        self._on(targets.device).add_(torch.stack([known.sum(), known.new_tensor(len(known))]).to(targets.device))

    def compute(self) -> float:
        """Over all pictures of all processes; NaN where none has a boundary."""
        total, count = self.total().tolist()
        return total / count if count else math.nan
