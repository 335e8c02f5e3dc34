"""Boxes with classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.boxes import learnable, unpadded
from cnnexp.losses.term import Term
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task


class Detection(Task):
    """The net's own loss; COCO's mean average precision, over IoU 0.50 to 0.95 (``map``) and at 0.50 (``map_50``).

    Boxes that are ignored are not learnt. In the average precision not to find them is no fault. What is found in a
    crowd, by its own area within it as COCO has it, counts for nothing; a single object that is hard to see takes one
    answer out, by their IoU.

    A net says ``loss_terms``, their names, and ``counts_in_advance``, whether all are means over one count. It answers
    ``losses(*arguments, boxes, classes)`` with a (mean, count) for each, and ``detect(*arguments)`` with boxes, scores
    and labels for each picture. One that can say both of one pass answers ``judged(*arguments, boxes, classes)`` with
    the two; of others an evaluation knows no losses.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = parts.facts.targets[parts.target or "boxes"]

    @property
    def term_names(self) -> tuple[str, ...]:
        return tuple(self.net.loss_terms)  # type: ignore[arg-type]

    @property
    def evaluates_loss(self) -> bool:
        return hasattr(self.net, "judged")

    @property
    def counts_in_advance(self) -> bool:
        return bool(getattr(self.net, "counts_in_advance", False))

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        net: Any = self.net
        arguments = self.facts.input.arguments(batch)
        truth = learnable(batch)
        if stage == "train":
            return StepOutput(_terms(net.losses(*arguments, *truth)), [], [])
        if self.evaluates_loss:
            losses, found = net.judged(*arguments, *truth)
        else:
            losses, found = {}, net.detect(*arguments)
        return StepOutput(_terms(losses), found, unpadded(batch))

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if stage == "train":
            return {}
        from torchmetrics.detection import MeanAveragePrecision

        test = stage == "test"
        metric = MeanAveragePrecision(backend="faster_coco_eval", class_metrics=test, extended_summary=test)
        metric.warn_on_many_detections = False
        return {"map": metric}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        if "map" in metrics:
            metrics["map"].update(output.predictions, output.targets)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        if "map" not in metrics:
            return Readings({})
        found = metrics["map"].compute()
        values = {name: max(0.0, float(found[name])) for name in ("map", "map_50")}
        return Readings(values, self._by_class(found) if stage == "test" else {})

    def _by_class(self, found: Mapping[str, Tensor]) -> dict[str, list[float]]:
        """Average precision of each class, over all IoU and at 0.50; NaN for a class without any object."""
        # thresholds of IoU x recall x class x area (all, small, …) x most detections (the last is 100)
        precision = found["precision"][:, :, :, 0, -1]
        vectors = {}
        for name, part in (("map", precision), ("map_50", precision[:1])):
            values = [float("nan")] * len(self.answer.names)
            for place, label in enumerate(found["classes"].reshape(-1).tolist()):
                measured = part[:, :, place]
                values[label] = float(measured[measured >= 0].mean()) if bool((measured >= 0).any()) else float("nan")
            vectors[name] = values
        return vectors

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
    def predict(self, batch: Batch) -> list[dict[str, np.ndarray]]:
        """For each picture boxes (n, 4) as parts of its width and height, scores (n,) and labels (n,)."""
        (image, *others) = self.facts.input.arguments(batch)
        found = self.net.detect(image, *others)  # type: ignore[operator]
        size = image.new_tensor([image.shape[3], image.shape[2]] * 2)
        return [
            {
                "boxes": (one["boxes"] / size).float().cpu().numpy(),
                "scores": one["scores"].float().cpu().numpy(),
                "labels": one["labels"].cpu().numpy(),
            }
            for one in found
        ]


def _terms(losses: Mapping[str, tuple[Tensor, int | Tensor]]) -> list[Term]:
    return [Term(name, mean, count) for name, (mean, count) in losses.items()]
