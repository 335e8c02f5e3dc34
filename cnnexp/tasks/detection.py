"""Boxes with classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchmetrics.detection import MeanAveragePrecision

from cnnexp.data.base import NO_CLASS
from cnnexp.tasks.base import Batch, Columns, Stage, StepOutput, Task
from cnnexp.visualize.boxes import boxes_image

SHOWN_FROM = 0.3
"""Boxes with a lower score count in the average precision, and are not shown to people."""


class Detection(Task):
    """The net's own loss; COCO's mean average precision, over IoU 0.50 to 0.95 (``map``) and at 0.50 (``map_50``).

    A net answers ``loss(output, boxes, classes)`` with the sums of its parts over the batch and the number of
    positives, and ``predict(output)`` with boxes, scores and labels for each picture.
    """

    loss_parts: ClassVar[tuple[str, ...]] = ("objectness", "box", "class")

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        output = self.net(batch["image"])
        sums = self.net.loss(output, batch["boxes"], batch["classes"])  # type: ignore[operator]
        count = sums.pop("count")
        # a batch without objects still learns that there are none
        parts = {name: total / count.clamp(min=1) for name, total in sums.items()}
        found = [] if stage == "train" else self.net.predict(output)  # type: ignore[operator]
        truth = [] if stage == "train" else _unpadded(batch["boxes"], batch["classes"])
        return StepOutput(torch.stack(list(parts.values())).sum(), count, found, truth, parts)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if stage == "train":
            return {}
        test = stage == "test"
        metric = MeanAveragePrecision(backend="faster_coco_eval", class_metrics=test, extended_summary=test)
        metric.warn_on_many_detections = False
        return {"map": metric}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        if "map" in metrics:
            metrics["map"].update(output.predictions, output.targets)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> dict[str, float]:
        if "map" not in metrics:
            return {}
        found = metrics["map"].compute()
        if stage == "test":
            self._keep_classes(found)
        return {name: max(0.0, float(found[name])) for name in ("map", "map_50")}

    def _keep_classes(self, found: Mapping[str, Tensor]) -> None:
        """Average precision of each class, over all IoU and at 0.50; NaN for a class without any object."""
        # thresholds of IoU x recall x class x area (all, small, …) x most detections (the last is 100)
        precision = found["precision"][:, :, :, 0, -1]
        for name, part in (("test/map", precision), ("test/map_50", precision[:1])):
            values = [float("nan")] * len(self.parts.facts.classes)
            for place, label in enumerate(found["classes"].reshape(-1).tolist()):
                measured = part[:, :, place]
                values[label] = float(measured[measured >= 0].mean()) if bool((measured >= 0).any()) else float("nan")
            self.vectors[name] = values

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        index = [np.full(len(one["scores"]), int(i)) for i, one in zip(batch["index"], output.predictions, strict=True)]
        boxes = torch.cat([one["boxes"] for one in output.predictions]).float().cpu().numpy()
        return {
            "index": np.concatenate(index).astype(np.int64),
            "prediction": torch.cat([one["labels"] for one in output.predictions]).cpu().numpy(),
            "score": torch.cat([one["scores"] for one in output.predictions]).float().cpu().numpy(),
            **{name: boxes[:, i] for i, name in enumerate(("x1", "y1", "x2", "y2"))},
        }

    @torch.no_grad()
    def predict(self, image: Tensor) -> list[dict[str, np.ndarray]]:
        """For each picture boxes (n, 4) as parts of its width and height, scores (n,) and labels (n,)."""
        found = self.net.predict(self.net(image))  # type: ignore[operator]
        size = image.new_tensor([image.shape[3], image.shape[2]] * 2)
        return [
            {
                "boxes": (one["boxes"] / size).float().cpu().numpy(),
                "scores": one["scores"].float().cpu().numpy(),
                "labels": one["labels"].cpu().numpy(),
            }
            for one in found
        ]

    def answer(self, prediction: dict[str, np.ndarray], picture: np.ndarray) -> dict[str, Any]:
        sure = _sure(prediction, picture)
        rows = zip(sure["labels"], sure["scores"], sure["boxes"], strict=True)
        return {
            "boxes": [
                {
                    "label": self.parts.facts.classes[int(label)],
                    "score": round(float(score), 4),
                    "box": [round(float(edge), 1) for edge in box],
                }
                for label, score, box in rows
            ]
        }

    def image(self, picture: np.ndarray, prediction: dict[str, np.ndarray], truth: Batch | None = None) -> Image.Image:
        sure = _sure(prediction, picture)
        true = None if truth is None else (truth["boxes"][0].numpy(), truth["classes"][0].numpy())
        names = self.parts.facts.classes
        return boxes_image(picture, sure["boxes"], sure["labels"], names, scores=sure["scores"], truth=true)


def _sure(prediction: dict[str, np.ndarray], picture: np.ndarray) -> dict[str, np.ndarray]:
    """The boxes that are shown to a person, in pixels of the picture."""
    kept = prediction["scores"] >= SHOWN_FROM
    height, width = picture.shape[:2]
    boxes = prediction["boxes"] * np.array([width, height, width, height])
    return {"boxes": boxes[kept], "scores": prediction["scores"][kept], "labels": prediction["labels"][kept]}


def _unpadded(boxes: Tensor, classes: Tensor) -> list[dict[str, Tensor]]:
    return [
        {"boxes": one[kept != NO_CLASS], "labels": kept[kept != NO_CLASS]}
        for one, kept in zip(boxes, classes, strict=True)
    ]
