"""Boxes with classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.base import Answer, Batch, Picture, Samples, counted
from cnnexp.augmentation.boxes import NO_CLASS, move_boxes
from cnnexp.augmentation.motion import Motion

if TYPE_CHECKING:
    from PIL import Image

SHOWN_FROM = 0.3
"""Boxes with a lower score count in the average precision, and are not shown to people."""
MISTAKES, PRECISION = "mistakes", "precision"
"""The test's tables: objects by what they were taken for, (K + 1, K + 1), the last of each nothing; precision at IoU
0.50 by recall (0, 0.01, …, 1) and class, (101, K)."""

BEYOND_COUNTING = 1e12
"""An area in pixels above COCO's largest, 1e10; 0 has the metric compute it."""


class Boxes(Answer):
    """Truth: ``boxes`` float (B, M, 4), x1 y1 x2 y2 in pixels, and ``classes`` int64 (B, M), -1 = padding.

    Where some boxes count for nothing (crowds, objects that are hard to see) they are ``ignored``, bool (B, M). Those
    of them that are a single object each are ``hard`` too, where there are such.

    Answer: ``boxes`` (n, 4) as parts of width and height, ``scores`` (n,) and ``labels`` (n,).
    """

    keys: ClassVar[tuple[str, ...]] = ("boxes", "classes")
    merges: ClassVar[bool] = True
    follows_warps: ClassVar[bool] = False
    fills: ClassVar[Mapping[str, float]] = {"boxes": 0.0, "classes": NO_CLASS, "ignored": 0, "hard": 0}

    def follow(self, batch: Batch, motion: Motion) -> Batch:
        boxes, classes = move_boxes(motion.way, batch["boxes"], batch["classes"], motion.frame)
        return {"boxes": boxes, "classes": classes}

    def renumbered(self, batch: Batch, numbers: Tensor) -> Batch:
        return renumbered_classes(batch, numbers)

    def counts(self, split: Samples, positions: NDArray[np.int64]) -> list[int]:
        return counted_classes(split, positions, len(self.names))

    def marks(self, batch: Batch, place: int) -> dict[str, Any]:
        return {key: batch[key][place].cpu().numpy() for key in self.keys}

    def as_json(self, answer: Mapping[str, NDArray[Any]], picture: Picture) -> dict[str, Any]:
        sure = self._sure(answer, picture)
        rows = zip(sure["labels"], sure["scores"], sure["boxes"], strict=True)
        return {
            "boxes": [
                {
                    "label": self.names[int(label)],
                    "score": round(float(score), 4),
                    "box": [round(float(edge), 1) for edge in box],
                }
                for label, score, box in rows
            ]
        }

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        return [
            f"{one['label']:<23} {one['score']:.2f}  x {one['box'][0]:.0f}-{one['box'][2]:.0f}"
            f"  y {one['box'][1]:.0f}-{one['box'][3]:.0f}"
            for one in row["boxes"]
        ] or ["nothing found"]

    def image(self, picture: Picture, answer: Mapping[str, NDArray[Any]], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.boxes import boxes_image

        sure = self._sure(answer, picture)
        true = None if truth is None else (truth["boxes"][0].numpy(), truth["classes"][0].numpy())
        return boxes_image(picture, sure["boxes"], sure["labels"], self.names, scores=sure["scores"], truth=true)

    def frame(self, picture: Picture, answer: Mapping[str, NDArray[Any]]) -> Image.Image:
        from cnnexp.visualize.boxes import boxes_on

        sure = self._sure(answer, picture)
        return boxes_on(picture, sure["boxes"], sure["labels"], self.names, sure["scores"])

    def draw_tables(self, tables: Mapping[str, np.ndarray], folder: Path, title: str) -> None:
        draw_findings(tables, self.names, folder, title)

    def _sure(self, answer: Mapping[str, NDArray[Any]], picture: Picture) -> dict[str, NDArray[Any]]:
        """The boxes that are shown to a person, in pixels of the picture."""
        kept = answer["scores"] >= SHOWN_FROM
        height, width = picture.shape[:2]
        boxes = answer["boxes"] * np.array([width, height, width, height])
        return {"boxes": boxes[kept], "scores": answer["scores"][kept], "labels": answer["labels"][kept]}


def renumbered_classes(batch: Batch, numbers: Tensor) -> Batch:
    """The classes of a batch's objects by other numbers, int64 (K,); padding stays."""
    classes = batch["classes"]
    return {"classes": torch.where(classes == NO_CLASS, classes, numbers[classes.clamp(min=0)])}


def counted_classes(split: Samples, positions: NDArray[np.int64], classes: int) -> list[int]:
    """How many objects of each class the samples at these positions have."""
    parts = torch.from_numpy(positions).split(256)
    found = [split.batch(part)["classes"] for part in parts]
    return counted(torch.cat([one[one != NO_CLASS] for one in found]), classes)


def draw_findings(tables: Mapping[str, np.ndarray], names: Sequence[str], folder: Path, title: str) -> None:
    """What became of detections and objects, and the curves of precision over recall, where a test has them."""
    from cnnexp.visualize.confusion import draw_confusion
    from cnnexp.visualize.precision_recall import draw_precision_recall

    if MISTAKES in tables:
        matrix = tables[MISTAKES]
        found, objects, said = int(np.trace(matrix)), int(matrix[:-1].sum()), int(matrix[:, :-1].sum())
        heading = f"{found:,} of {objects:,} objects found\n{said:,} detections of score ≥ {SHOWN_FROM:g}"
        rows = [*names, "nothing"]
        draw_confusion(matrix, rows, folder / "mistakes.png", title=title, heading=heading)
    if PRECISION in tables:
        draw_precision_recall(tables[PRECISION], names, folder / "precision_recall.png", title=title)


def unpadded(batch: Batch) -> list[dict[str, Tensor]]:
    """The boxes and labels of each sample, without what fills up its row, and which are ignored: crowds (``iscrowd``),
    and by an ``area`` that no range of COCO's holds a single object, which matches one answer by their ordinary IoU."""
    columns = {"boxes": batch["boxes"], "labels": batch["classes"]}
    if "hard" in batch:
        columns["area"] = batch["hard"] * BEYOND_COUNTING
    elif "ignored" in batch:
        columns["iscrowd"] = batch["ignored"].long()
    kept = batch["classes"] != NO_CLASS
    return [{name: one[place][kept[place]] for name, one in columns.items()} for place in range(len(kept))]


def ignored_in(truth: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Which objects of a picture, as ``unpadded`` has them, are crowds, and which are single and count for nothing."""
    none = torch.zeros(len(truth["boxes"]), dtype=torch.bool, device=truth["boxes"].device)
    crowds = truth["iscrowd"].bool() if "iscrowd" in truth else none
    return crowds, truth["area"] >= BEYOND_COUNTING if "area" in truth else none


def learnable(batch: Batch) -> tuple[Tensor, Tensor]:
    """Boxes and classes of which those that are ignored are padding."""
    classes = batch["classes"]
    if "ignored" in batch:
        classes = classes.masked_fill(batch["ignored"], NO_CLASS)
    return batch["boxes"], classes
