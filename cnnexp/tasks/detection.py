"""Boxes with classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.boxes import MISTAKES, PRECISION, SHOWN_FROM, unpadded
from cnnexp.tasks.average_precision import averages, averages_by_class, curves, mean_average_precision
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput
from cnnexp.tasks.finders import Finder
from cnnexp.tasks.mistakes import SIZES, Mistakes
from cnnexp.tasks.proposal_recall import RECALL, ProposalRecall


class Detection(Finder):
    """The net's own loss; COCO's mean average precision, over IoU 0.50 to 0.95 (``map``) and at 0.50 (``map_50``).

    The test has the first of these for small, medium and large objects too, by COCO's areas in pixels of the net's
    pictures, counts what became of every detection that is sure enough to be shown, and of every object, and keeps the
    curves of precision over recall at IoU 0.50.

    Boxes that are ignored are not learnt. In the average precision not to find them is no fault. What is found in a
    crowd, by its own area within it as COCO has it, counts for nothing; a single object that is hard to see takes one
    answer out, by their IoU.

    What a net has to answer says ``cnnexp.tasks.finders``. One that ``proposes`` says with what it found ``proposals``
    (p, 4), the surest first: how many objects are among them is a metric.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = parts.facts.targets[parts.target or "boxes"]

    def true(self, batch: Batch) -> list[dict[str, Tensor]]:
        return unpadded(batch)

    def judge(self, answer: Any, batch: Batch, stage: Stage) -> StepOutput:
        """For answers as ``predict`` gives them, one for each picture; without losses."""
        image = self.facts.input.arguments(batch)[0]
        size = [image.shape[3], image.shape[2]] * 2
        found = [{key: torch.as_tensor(one[key]) for key in ("boxes", "scores", "labels")} for one in answer]
        targets = [{key: value.cpu() for key, value in one.items()} for one in unpadded(batch)]
        return StepOutput([], [one | {"boxes": (one["boxes"] * torch.tensor(size)).float()} for one in found], targets)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if stage == "train":
            return {}
        test = stage == "test"
        metrics: dict[str, nn.Module] = {"map": mean_average_precision(("boxes",), test=test)}
        if getattr(self.net, "proposes", False):
            metrics["proposals"] = ProposalRecall()
        return {**metrics, **({"mistakes": Mistakes(len(self.answer.names), SHOWN_FROM)} if test else {})}

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        if "map" not in metrics:
            return Readings({})
        found = metrics["map"].compute()
        values = averages(found)
        if "proposals" in metrics and not math.isnan(recall := metrics["proposals"].compute()):
            values[RECALL] = recall
        if stage != "test":
            return Readings(values)
        of_sizes = {f"map_{size}": float(found[f"map_{size}"]) for size in SIZES}
        values |= {name: value for name, value in of_sizes.items() if value >= 0}  # -1: there are no such objects
        precision = curves(found, len(self.answer.names))
        matrix, kinds, sizes = metrics["mistakes"].compute()
        tables = {MISTAKES: matrix, PRECISION: precision[0]}
        return Readings(values, averages_by_class(precision), tables, {"mistakes": kinds, "sizes": sizes})

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
