"""One object for each sample: what it is, and its box."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnexp.answers.base import Batch, Picture, Samples
from cnnexp.answers.boxes import Boxes, learnable
from cnnexp.answers.label import SHOWN
from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

READ_AT_ONCE = 256


class Single(NamedTuple):
    """The one object of each sample of a batch: its box, (B, 4) in pixels, its class, int64 (B,), and whether it is
    there, bool (B,), as an augmentation may have moved it out of its picture."""

    boxes: Tensor
    classes: Tensor
    there: Tensor


class Box(Boxes):
    """Truth: that of ``Boxes``, one box for each sample.

    Answer: ``probabilities`` of the classes (K,) and ``box`` (4,), x1 y1 x2 y2 as parts of width and height.
    """

    merges: ClassVar[bool] = False

    def single(self, batch: Batch) -> Single:
        """The boxes of a batch without their axis of several."""
        boxes, classes = learnable(batch)
        boxes, classes = functional.pad(boxes, (0, 0, 0, 1)), functional.pad(classes, (0, 1), value=NO_CLASS)
        row = (classes != NO_CLASS).int().argmax(1, keepdim=True)  # the last one is padding, so there is one to take
        found = classes.gather(1, row)[:, 0]
        return Single(boxes.gather(1, row[..., None].expand(-1, -1, 4))[:, 0], found, found != NO_CLASS)

    def refuse(self, split: Samples, name: str) -> None:
        numbers = boxes_of_each(split)
        others = numbers[numbers != 1]
        if len(others):
            none, several = int((others == 0).sum()), int((others > 1).sum())
            parts = [f"{none:,} have none" if none else "", f"{several:,} have several" if several else ""]
            raise InputError(
                f"data={name}: {len(others):,} of {len(numbers):,} pictures do not have exactly one box "
                f"({', '.join(one for one in parts if one)}), which is what task=localization learns; task=detection "
                "takes any number"
            )

    def as_json(self, answer: Mapping[str, NDArray[Any]], picture: Picture) -> dict[str, Any]:
        probabilities = answer["probabilities"]
        best = np.argsort(-probabilities, kind="stable")[:SHOWN]
        classes = [{"label": self.names[i], "probability": round(float(probabilities[i]), 6)} for i in best]
        box = [round(float(edge), 1) for edge in _in_pixels(answer["box"], picture)]
        return {**classes[0], "box": box, "classes": classes}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        x1, y1, x2, y2 = row["box"]
        others = [f"{one['label']:<23} {one['probability']:.4f}" for one in row["classes"][1:]]
        return [f"{row['label']:<23} {row['probability']:.4f}  x {x1:.0f}-{x2:.0f}  y {y1:.0f}-{y2:.0f}", *others]

    def image(self, picture: Picture, answer: Mapping[str, NDArray[Any]], truth: Batch | None = None) -> Image.Image:
        from cnnexp.visualize.boxes import boxes_image

        boxes, labels, scores = _one(answer, picture)
        true = None if truth is None else (truth["boxes"][0].numpy(), truth["classes"][0].numpy())
        return boxes_image(picture, boxes, labels, self.names, scores=scores, truth=true)

    def frame(self, picture: Picture, answer: Mapping[str, NDArray[Any]]) -> Image.Image:
        from cnnexp.visualize.boxes import boxes_on

        boxes, labels, scores = _one(answer, picture)
        return boxes_on(picture, boxes, labels, self.names, scores)

    def draw_tables(self, tables: Mapping[str, np.ndarray], folder: Path, title: str) -> None:
        from cnnexp.visualize.confusion import draw_confusion

        if "confusion" in tables:
            draw_confusion(tables["confusion"], self.names, folder / "confusion.png", title=title)


def boxes_of_each(split: Samples) -> NDArray[np.int64]:
    """How many boxes that are not ignored each sample has, (N,); pictures on disk are not decoded for it."""
    origins = getattr(split, "origins", None)
    if origins is not None and all(hasattr(one, "ignored") for one in origins):
        return np.array([len(one.boxes) - sum(one.ignored) for one in origins], np.int64)
    positions = torch.arange(len(split))  # type: ignore[arg-type]
    found = [learnable(split.batch(part))[1] for part in positions.split(READ_AT_ONCE)]
    return torch.cat([(one != NO_CLASS).sum(1) for one in found]).numpy()


def _one(answer: Mapping[str, NDArray[Any]], picture: Picture) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The box in pixels, its likeliest class and that one's probability, as rows of one."""
    best = int(answer["probabilities"].argmax())
    return _in_pixels(answer["box"], picture)[None], np.array([best]), answer["probabilities"][None, best]


def _in_pixels(box: NDArray[Any], picture: Picture) -> NDArray[Any]:
    height, width = picture.shape[:2]
    return box * np.array([width, height, width, height])
