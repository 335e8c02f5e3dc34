"""Objects with their classes, boxes and outlines, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.base import Answer, Batch, Picture, Samples
from cnnexp.answers.boxes import SHOWN_FROM, counted_classes, draw_findings, renumbered_classes
from cnnexp.answers.mask import sized
from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.augmentation.instances import masks_of, tight_boxes
from cnnexp.augmentation.motion import Motion

if TYPE_CHECKING:
    from PIL import Image


class Instances(Answer):
    """Truth: ``instances`` int16 (B, H, W), 0 = none, k = the object of the k-th row of ``boxes``, counted from 1;
    ``boxes`` float (B, M, 4), x1 y1 x2 y2 in pixels, tight around its pixels; ``classes`` int64 (B, M), -1 = padding or
    an object without a pixel. Each pixel belongs to one object at most: what is drawn later lies in front.

    Where some objects count for nothing (crowds) they are ``ignored``, bool (B, M).

    Answer: ``boxes`` (n, 4) as parts of width and height, ``scores`` (n,), ``labels`` (n,), ``masks`` bool (n, h, w).
    """

    keys: ClassVar[tuple[str, ...]] = ("instances", "boxes", "classes")
    merges: ClassVar[bool] = True
    fills: ClassVar[Mapping[str, float]] = {"boxes": 0.0, "classes": NO_CLASS, "ignored": 0}

    def follow(self, batch: Batch, motion: Motion) -> Batch:
        """By one nearest resampling; the boxes are those of the pixels that arrive, the rows stay."""
        moved = motion.nearest_number(batch["instances"])
        boxes, classes = tight_boxes(moved, batch["classes"])
        return {"instances": moved, "boxes": boxes, "classes": classes}

    def renumbered(self, batch: Batch, numbers: Tensor) -> Batch:
        return renumbered_classes(batch, numbers)

    def counts(self, split: Samples, positions: NDArray[np.int64]) -> list[int]:
        return counted_classes(split, positions, len(self.names))

    def marks(self, batch: Batch, place: int) -> dict[str, Any]:
        return {key: batch[key][place].cpu().numpy() for key in self.keys}

    def as_json(self, answer: Mapping[str, NDArray[Any]], picture: Picture) -> dict[str, Any]:
        """Masks as COCO has them: ``size`` is height and width of the picture, ``counts`` its run-length code."""
        sure = _sure(answer, picture)
        rows = zip(sure["labels"], sure["scores"], sure["boxes"], sure["masks"], strict=True)
        return {
            "instances": [
                {
                    "label": self.names[int(label)],
                    "score": round(float(score), 4),
                    "box": [round(float(edge), 1) for edge in box],
                    "area": int(mask.sum()),
                    "segmentation": {"size": list(mask.shape), "counts": run_lengths(mask[None])[0]},
                }
                for label, score, box, mask in rows
            ]
        }

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        return [
            f"{one['label']:<23} {one['score']:.2f}  x {one['box'][0]:.0f}-{one['box'][2]:.0f}"
            f"  y {one['box'][1]:.0f}-{one['box'][3]:.0f}  {one['area']:,} pixels"
            for one in row["instances"]
        ] or ["nothing found"]

    def image(self, picture: Picture, answer: Mapping[str, NDArray[Any]], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.instances import Objects, instances_image

        sure = _sure(answer, picture)
        found = Objects(sure["masks"], sure["labels"], sure["scores"])
        true = None
        if truth is not None:
            rows = (truth["classes"][0] != NO_CLASS).nonzero()[:, 0]
            true = Objects(masks_of(truth["instances"][0], rows).numpy(), truth["classes"][0][rows].numpy())
        return instances_image(picture, found, self.names, truth=true)

    def draw_tables(self, tables: Mapping[str, np.ndarray], folder: Path, title: str) -> None:
        draw_findings(tables, self.names, folder, title)

    def frame(self, picture: Picture, answer: Mapping[str, NDArray[Any]]) -> Image.Image:
        """In the colours of the classes, which stay the same from frame to frame."""
        from cnnexp.visualize.canvas import to_image
        from cnnexp.visualize.instances import painted

        sure = _sure(answer, picture)
        order = np.argsort(sure["scores"], kind="stable")
        return painted(to_image(picture), sure["masks"][order], sure["labels"][order].tolist())


def unpadded(batch: Batch) -> list[dict[str, Tensor]]:
    """Boxes, labels and masks, bool (n, H, W), of the objects of each sample, and which are ignored (``iscrowd``)."""
    columns = {"boxes": batch["boxes"], "labels": batch["classes"]}
    if "ignored" in batch:
        columns["iscrowd"] = batch["ignored"].long()
    found = []
    for place, classes in enumerate(batch["classes"]):
        rows = (classes != NO_CLASS).nonzero()[:, 0]
        masks = masks_of(batch["instances"][place], rows)
        found.append({**{name: one[place][rows] for name, one in columns.items()}, "masks": masks})
    return found


def run_lengths(masks: NDArray[np.bool_]) -> list[str]:
    """COCO's run-length code of each mask, bool (n, H, W), as text."""
    from faster_coco_eval.core import mask as coder

    if not len(masks):
        return []
    whole = np.asfortranarray(masks.transpose(1, 2, 0), dtype=np.uint8)
    return [one["counts"].decode("ascii") for one in coder.encode(whole)]


def _sure(answer: Mapping[str, NDArray[Any]], picture: Picture) -> dict[str, NDArray[Any]]:
    """What is shown to a person, in pixels of the picture."""
    kept = answer["scores"] >= SHOWN_FROM
    height, width = picture.shape[:2]
    masks = [sized(mask.astype(np.uint8), picture) > 0 for mask in answer["masks"][kept]]
    return {
        "boxes": answer["boxes"][kept] * np.array([width, height, width, height]),
        "scores": answer["scores"][kept],
        "labels": answer["labels"][kept],
        "masks": np.array(masks, dtype=bool).reshape(-1, height, width),
    }
