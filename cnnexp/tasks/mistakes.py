"""What became of every detection and every object: found, of another class, hit twice, badly placed, missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.boxes import ignored_in
from cnnexp.tasks.means import Sums

FOUND_FROM, NEAR_FROM = 0.5, 0.1
"""The least IoU of a detection that has found an object, and of one that is badly placed."""
ABSORBED_FROM = 0.5
"""The least part of a detection's own area within an object that counts for nothing."""
KINDS = ("right", "wrong_class", "doubled", "badly_placed", "background", "missed")
NOTHING = "nothing"
"""The name of the matrix's last row and column: no object, and no detection."""
SIZES: Mapping[str, tuple[float, float]] = {
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""COCO's ranges of area in pixels, both ends included."""


@dataclass(frozen=True)
class Judged:
    """What became of the n detections and the m objects of a picture.

    Attributes:
        kinds: (n,), a word of ``KINDS`` for each detection; None for one that counts for nothing.
        partners: int64 (n,), the object that it has found or that it calls by another class; -1 for none.
        missed: bool (m,), the objects that no detection is a partner of.
    """

    kinds: list[str | None]
    partners: NDArray[np.int64]
    missed: NDArray[np.bool_]


def judge(
    labels: NDArray[np.int64],
    classes: NDArray[np.int64],
    overlap: NDArray[np.floating],
    absorbed: NDArray[np.bool_] | None = None,
) -> Judged:
    """Match detections with objects: whatever they are, boxes or masks, only their overlap is asked for.

    First each class by itself, as COCO does it: the surest detection takes, of the objects of its class that are still
    free, the one with the highest IoU, if that is ``FOUND_FROM`` or more. So what is right here is what average
    precision counts as right. The others in the same order: one that covers a free object has the wrong class, and
    takes it; one that covers an object that is taken is doubled; one that overlaps an object of its class by
    ``NEAR_FROM`` or more is badly placed; the rest lies on the background.

    Args:
        labels: (n,), of the detections, the surest first. classes: (m,), of the objects.
        overlap: (n, m), IoU. absorbed: (n,), whether a detection that is not right counts for nothing.
    """
    kinds: list[str | None] = [None] * len(labels)
    partners = np.full(len(labels), -1, np.int64)
    free = np.ones(len(classes), bool)
    covers = overlap >= FOUND_FROM

    def take(place: int, candidates: NDArray[np.bool_], kind: str) -> bool:
        if not candidates.any():
            return False
        best = int(np.where(candidates, overlap[place], -1.0).argmax())
        free[best], partners[place], kinds[place] = False, best, kind
        return True

    same = labels[:, None] == classes[None]
    left = [place for place in range(len(labels)) if not take(place, covers[place] & same[place] & free, "right")]
    for place in left:
        if (absorbed is not None and absorbed[place]) or take(place, covers[place] & free, "wrong_class"):
            continue
        near = same[place] & (overlap[place] >= NEAR_FROM)
        kinds[place] = "doubled" if covers[place].any() else "badly_placed" if near.any() else "background"
    return Judged(kinds, partners, free)


class Mistakes(Sums):
    """Counts of a split's detections and objects, by the overlap of masks where there are some, else of boxes.

    Args:
        classes: K. least_score: detections with a lower one are left out.
    """

    def __init__(self, classes: int, least_score: float) -> None:
        super().__init__((classes + 1) ** 2 + len(KINDS) + len(SIZES), torch.int64)
        self.classes = classes
        self.least_score = least_score

    @torch.no_grad()
    def update(self, found: Sequence[Mapping[str, Tensor]], truth: Sequence[Mapping[str, Tensor]]) -> None:
        """Count pictures: what was found (boxes, scores, labels) and what is there, as ``unpadded`` has it."""
        counted = np.zeros(len(self._sums), np.int64)
        for said, there in zip(found, truth, strict=True):
            counted += self._of_picture(said, there)
        self._on(torch.device("cpu")).add_(torch.from_numpy(counted))

    def _of_picture(self, said: Mapping[str, Tensor], there: Mapping[str, Tensor]) -> NDArray[np.int64]:
        from torchvision.ops import box_area, box_iou

        scores, order = said["scores"].float().cpu().sort(descending=True, stable=True)
        order = order[scores >= self.least_score]
        boxes, labels = said["boxes"].double().cpu()[order], said["labels"].cpu()[order]
        objects, classes = there["boxes"].double().cpu(), there["labels"].cpu()
        crowds, hard = (one.cpu() for one in ignored_in(there))
        covered = (box_iou(boxes, objects[hard]) >= FOUND_FROM) & (labels[:, None] == classes[hard])
        absorbed = (_part_within(boxes, objects[crowds]) >= ABSORBED_FROM).any(1)
        absorbed |= (covered & (covered.cumsum(0) == 1)).any(1)  # each takes out one answer, the surest
        counting = ~(crowds | hard)
        objects, classes = objects[counting], classes[counting]
        overlap = box_iou(boxes, objects)
        if "masks" in said:
            overlap = mask_iou(said["masks"].cpu()[order], there["masks"].cpu()[counting])
        judged = judge(labels.numpy(), classes.numpy(), overlap.numpy(), absorbed.numpy())
        areas = box_area(objects).numpy()
        matrix = _matrix(judged, labels.numpy(), classes.numpy(), self.classes)
        kinds = [judged.kinds.count(kind) for kind in KINDS[:-1]] + [int(judged.missed.sum())]
        sizes = [int(((areas >= low) & (areas <= high)).sum()) for low, high in SIZES.values()]
        return np.concatenate([matrix.ravel(), kinds, sizes]).astype(np.int64)

    def compute(self) -> tuple[NDArray[np.int64], dict[str, int], dict[str, int]]:
        """Of all processes: the matrix (K + 1, K + 1), row = object, column = detection, the last of each nothing; how
        many there are of each kind; how many objects of each size."""
        total = self.total().numpy()
        matrix, kinds, sizes = np.split(total, np.cumsum([(self.classes + 1) ** 2, len(KINDS)]))
        named = zip(KINDS, kinds.tolist(), strict=True)
        return matrix.reshape(self.classes + 1, -1), dict(named), dict(zip(SIZES, sizes.tolist(), strict=True))


def mask_iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU (n, m) of masks, bool (n, H, W) and (m, H, W)."""
    one, other = (masks.flatten(1).float() for masks in (first, second))
    shared = one @ other.T
    return shared / (one.sum(1)[:, None] + other.sum(1) - shared).clamp(min=1)


def _part_within(boxes: Tensor, regions: Tensor) -> Tensor:
    """The part of each box's own area that lies in each region, (n, r) of (n, 4) and (r, 4)."""
    low = torch.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1, keepdim=True)
    return (high - low).clamp(min=0).prod(2) / area.clamp(min=torch.finfo(area.dtype).tiny)


def _matrix(judged: Judged, labels: NDArray[np.int64], classes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    matrix = np.zeros((count + 1, count + 1), np.int64)
    for kind, partner, label in zip(judged.kinds, judged.partners, labels, strict=True):
        if kind is not None:
            matrix[count if partner < 0 else classes[partner], label] += 1
    np.add.at(matrix[:, count], classes[judged.missed], 1)
    return matrix
