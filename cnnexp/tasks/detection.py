"""Boxes with classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.boxes import MISTAKES, PRECISION, SHOWN_FROM, learnable, unpadded
from cnnexp.losses.term import Term
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.mistakes import SIZES, Mistakes


class Detection(Task):
    """The net's own loss; COCO's mean average precision, over IoU 0.50 to 0.95 (``map``) and at 0.50 (``map_50``).

    The test has the first of these for small, medium and large objects too, by COCO's areas in pixels of the net's
    pictures, counts what became of every detection that is sure enough to be shown, and of every object, and keeps the
    curves of precision over recall at IoU 0.50.

    Boxes that are ignored are not learnt. In the average precision they are COCO's crowds: not to find them is no
    fault, and what is found there, by its own area within them, counts for nothing.

    A net says ``loss_terms``, their names, and ``counts_in_advance``, whether all are means over one count. It answers
    ``losses(*arguments, boxes, classes)`` with a (mean, count) for each, and ``detect(*arguments)`` with boxes, scores
    and labels for each picture. One that can say both of one pass answers ``judged(*arguments, boxes, classes)`` with
    the two; of others an evaluation knows no losses.
    """

    on_frames: ClassVar[bool] = True

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

    def judge(self, answer: Any, batch: Batch, stage: Stage) -> StepOutput:
        """For answers as ``predict`` gives them, one for each picture; without losses."""
        size = [batch["image"].shape[3], batch["image"].shape[2]] * 2
        found = [{key: torch.as_tensor(one[key]) for key in ("boxes", "scores", "labels")} for one in answer]
        targets = [{key: value.cpu() for key, value in one.items()} for one in unpadded(batch)]
        return StepOutput([], [one | {"boxes": (one["boxes"] * torch.tensor(size)).float()} for one in found], targets)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        if stage == "train":
            return {}
        from torchmetrics.detection import MeanAveragePrecision

        test = stage == "test"
        metric = MeanAveragePrecision(backend="faster_coco_eval", class_metrics=test, extended_summary=test)
        metric.warn_on_many_detections = False
        return {"map": metric, **({"mistakes": Mistakes(len(self.answer.names), SHOWN_FROM)} if test else {})}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        for metric in metrics.values():
            metric.update(output.predictions, output.targets)

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        if "map" not in metrics:
            return Readings({})
        found = metrics["map"].compute()
        values = {name: max(0.0, float(found[name])) for name in ("map", "map_50")}
        if stage != "test":
            return Readings(values)
        of_sizes = {f"map_{size}": float(found[f"map_{size}"]) for size in SIZES}
        values |= {name: value for name, value in of_sizes.items() if value >= 0}  # -1: there are no such objects
        curves = self._curves(found)
        vectors = {"map": _area(curves), "map_50": _area(curves[:1])}
        matrix, kinds, sizes = metrics["mistakes"].compute()
        tables = {MISTAKES: matrix, PRECISION: curves[0]}
        return Readings(values, vectors, tables, {"mistakes": kinds, "sizes": sizes})

    def _curves(self, found: Mapping[str, Tensor]) -> np.ndarray:
        """Precision at each threshold of IoU (0.50, 0.55, …), recall (0, 0.01, …, 1) and class, (T, R, K).

        NaN for a class without any object.
        """
        # thresholds of IoU x recall x class x area (all, small, …) x most detections (the last is 100)
        precision = found["precision"][:, :, :, 0, -1].double().cpu().numpy()
        curves = np.full((*precision.shape[:2], len(self.answer.names)), np.nan)
        curves[:, :, found["classes"].reshape(-1).long().cpu().numpy()] = np.where(precision < 0, np.nan, precision)
        return curves

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


def _area(curves: np.ndarray) -> list[float]:
    """The mean of curves (T, R, K) for each class: average precision, as COCO has it."""
    return curves.mean(axis=(0, 1)).tolist()


def _terms(losses: Mapping[str, tuple[Tensor, int | Tensor]]) -> list[Term]:
    return [Term(name, mean, count) for name, (mean, count) in losses.items()]
