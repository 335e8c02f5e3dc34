"""A mask of classes cut into objects: by what hangs together, or by a watershed between the middles of objects."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.augmentation.motion import VOID

Cut = Literal["components", "watershed"]
SMOOTHING_PX = 1.0
"""Of distances to the outside, so that a rough edge has no middles of its own."""
Labels = NDArray[np.int32]
"""(H, W), 0 = no object, others 1, 2, ..."""


@dataclass(frozen=True)
class Cutting:
    """How objects are made of a picture's probabilities.

    Attributes:
        cut: ``components``: pixels of objects that touch by their sides are one object. ``watershed``: of those, each
            that has several middles is divided between them.
        border: reach in pixels of the class that stands for what lies between two objects; 0 is none.
        smallest: objects of fewer pixels are dropped.
        apart: least distance in pixels between two middles (watershed).
    """

    cut: Cut
    border: int
    smallest: int
    apart: int

    def __call__(self, probabilities: NDArray[np.float32]) -> dict[str, Tensor]:
        """Boxes (n, 4) in pixels, scores (n,), labels (n,), masks bool (n, H, W).

        The class of an object is the one with the highest mean probability in it, and that mean is its score.

        Args:
            probabilities: (K + 2, H, W): of the background, of each class, and of the border between two objects.
        """
        said = probabilities.argmax(0)
        inside, between = (said > 0) & (said < len(probabilities) - 1), said == len(probabilities) - 1
        labels = components(inside) if self.cut == "components" else watershed(inside, self.apart)
        return _objects(grown(labels, between, self.border + 1), probabilities[1:-1], self.smallest)


def components(inside: NDArray[np.bool_]) -> Labels:
    """The parts of a mask that hang together by the sides of their pixels."""
    from scipy import ndimage

    labels: Labels = ndimage.label(inside)[0]
    return labels


def watershed(inside: NDArray[np.bool_], apart: int) -> Labels:
    """A mask (H, W) divided between its middles: where the distance to the outside is highest around.

    Args:
        apart: of two peaks that are nearer to each other than this, in pixels, the lower one is no middle.
    """
    from scipy import ndimage

    distance = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    smooth = np.where(inside, ndimage.gaussian_filter(distance, SMOOTHING_PX), 0.0)
    peaks = inside & (smooth == ndimage.maximum_filter(smooth, 2 * apart + 1))
    middles, whole = ndimage.label(peaks, np.ones((3, 3)))[0], components(inside)
    # a part whose only peak is near to a higher one of another part is an object all the same
    lonely = inside & ~np.isin(whole, np.unique(whole[peaks]))
    found = np.unique(np.where(lonely, middles.max() + whole, middles), return_inverse=True)[1]
    return flooded(-smooth, found.reshape(inside.shape), inside)


def flooded(height: NDArray[np.floating], middles: NDArray[np.integer], inside: NDArray[np.bool_]) -> Labels:
    """Water that rises from each middle over a landscape (H, W): each pixel inside is of the middle that it is reached
    from first, through the sides of pixels, the lowest before others (Meyer 1994).

    Args:
        middles: (H, W), 0 = none. inside: where water goes.
    """
    wide = height.shape[1] + 2
    levels, open_ones = np.pad(height, 1).ravel().tolist(), np.pad(inside, 1).ravel().tolist()
    labels = np.pad(np.where(inside, middles, 0), 1).ravel().tolist()
    waiting = [(levels[place], place, place) for place, label in enumerate(labels) if label]
    heapify(waiting)
    age = len(levels)
    while waiting:
        _, _, place = heappop(waiting)
        for other in (place - wide, place - 1, place + 1, place + wide):
            if open_ones[other] and not labels[other]:
                labels[other] = labels[place]
                age += 1
                heappush(waiting, (levels[other], age, other))
    return np.array(labels, np.int32).reshape(-1, wide)[1:-1, 1:-1]


def grown(labels: Labels, into: NDArray[np.bool_], reach: int) -> Labels:
    """Objects grown over some pixels: each goes to the nearest object, where one is at most ``reach`` away."""
    from scipy import ndimage

    if not into.any() or not labels.any():
        return labels
    distance, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    taken: Labels = np.where(into & (distance <= reach), labels[tuple(nearest)], labels)
    return taken


def mask_to_learn(batch: dict[str, Tensor], classes: int, border: int) -> Tensor:
    """What a net of pixels learns of objects, uint8 (B, H, W): 0 = background, class + 1, or the border between two.

    The border, ``classes`` + 1, is all pixels of objects that have another one within ``border`` pixels, along x and y.
    Objects that are ignored are void.
    """
    numbers, kinds = batch["instances"], batch["classes"]
    values = torch.where(kinds == NO_CLASS, VOID, kinds + 1)
    if "ignored" in batch:
        values = values.masked_fill(batch["ignored"], VOID)
    table = functional.pad(values, (1, 0)).to(torch.uint8)
    mask = table.gather(1, numbers.flatten(1).long()).view(numbers.shape)
    if not border:
        return mask
    shown, side = numbers.float()[:, None], 2 * border + 1
    highest = functional.max_pool2d(shown, side, 1, border)
    lowest = -functional.max_pool2d(-shown.masked_fill(shown == 0, torch.inf), side, 1, border)
    touching = (lowest < highest)[:, 0] & (numbers > 0) & (mask != VOID)
    return mask.masked_fill(touching, classes + 1)


def _objects(labels: Labels, of_classes: NDArray[np.float32], smallest: int) -> dict[str, Tensor]:
    """Each part as an object; ``of_classes`` are the probabilities (K, H, W)."""
    from scipy import ndimage

    sizes = np.bincount(labels.ravel())
    kept = np.flatnonzero(sizes >= max(1, smallest))
    kept = kept[kept > 0]
    sums = np.stack([np.bincount(labels.ravel(), one.ravel(), len(sizes)) for one in of_classes], 1)
    means = sums[kept] / sizes[kept, None]
    places = [ndimage.find_objects(labels)[number - 1] for number in kept.tolist()] if len(kept) else []
    boxes = [[across.start, down.start, across.stop, down.stop] for down, across in places]
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "scores": torch.from_numpy(means.max(1, initial=0.0)).float(),
        "labels": torch.from_numpy(means.argmax(1)),
        "masks": torch.from_numpy(labels == kept[:, None, None]),
    }
