"""One object for each sample: its class and its box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import box_convert, box_iou

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.box import Box, Single
from cnnexp.data.facts import Facts
from cnnexp.losses.localization import BOX, CLASS
from cnnexp.losses.localization import Localization as Loss
from cnnexp.losses.term import Term
from cnnexp.models.auxiliary import split_answer
from cnnexp.tasks.base import AUXILIARY, Parts, Readings, Stage, StepOutput, Task
from cnnexp.tasks.means import Confusion, Sums

SIDES = 4
GOOD = 0.5
"""The IoU from which a box is right."""


class Localization(Task):
    """A net's K + 4 numbers: logits of the classes, and a box (cx, cy, w, h) as parts of the picture.

    ``accuracy`` of the class, mean ``iou`` of the box, ``iou_50``, the part of boxes with an IoU of at least 0.5, and
    ``localised``, the part with that and the right class (Russakovsky et al. 2015, "ImageNet large scale visual
    recognition challenge", section 4.1, with one guess). With a single class there is nothing to say but the box.

    A sample whose object an augmentation has moved out of the picture is not learnt.
    """

    hands: ClassVar[str | None] = "boxes"
    on_frames: ClassVar[bool] = True
    takes_features: ClassVar[bool] = True
    unclassed: ClassVar[int] = SIDES
    loss: Loss
    answer: Box

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = Box(parts.facts.names(parts.target))
        self.classifies = len(self.answer.names) > 1

    @classmethod
    def num_outputs(cls, facts: Facts, target: str | None) -> int:
        return len(facts.names(target)) + SIDES

    @property
    def term_names(self) -> tuple[str, ...]:
        return (CLASS, BOX) if self.classifies else (BOX,)

    def counts(self, batch: Batch) -> Mapping[str, int | Tensor]:
        true = self.answer.single(batch)
        labels = true.classes[true.there]
        counts = {CLASS: self.loss.weights_of(labels), BOX: true.there.sum(), AUXILIARY: true.there.sum()}
        return {name: counts[name] for name in (*self.term_names, *self.learnt_apart)}

    def step(self, batch: Batch, stage: Stage) -> StepOutput:
        given, others = split_answer(self.outputs(batch))
        true, train = self.answer.single(batch), stage == "train"
        terms = self._terms(given, true, train)
        heads = [self._terms(one, true, train) for one in others]
        summed = [Term("", torch.stack([term.mean for term in one]).sum(), one[-1].count) for one in heads]
        terms[-1:] = self.with_heads(terms[-1:], summed)
        return StepOutput(terms, given.detach(), true)

    def _terms(self, given: Tensor, true: Single, train: bool) -> list[Term]:
        there = true.there
        truth = {"box": self._as_parts(true.boxes)[there]}
        terms = [self.loss(given[there, -SIDES:], truth, train)]
        if self.classifies:
            terms.insert(0, self.loss(given[there, :-SIDES], {"label": true.classes[there]}, train))
        return terms

    def _as_parts(self, boxes: Tensor) -> Tensor:
        """(B, 4) corners in pixels → centre, width and height as parts of the picture."""
        return box_convert(boxes / self._size(boxes), "xyxy", "cxcywh")

    def _corners(self, given: Tensor) -> Tensor:
        """The box of each sample in a net's answers (B, K + 4): corners as parts of the picture, cut at its edges."""
        cx, cy, w, h = given[:, -SIDES:].float().unbind(1)
        half = torch.stack([w, h], 1).clamp(min=0) / 2
        centre = torch.stack([cx, cy], 1)
        return torch.cat([centre - half, centre + half], 1).clamp(0, 1)

    def _size(self, like: Tensor) -> Tensor:
        height, width = self.facts.input.shape[-2:]
        return like.new_tensor([width, height, width, height])

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return {"places": Places(), "confusion": Confusion(len(self.answer.names))}

    def update_metrics(self, metrics: Mapping[str, Any], output: StepOutput) -> None:
        true: Single = output.targets
        said, overlap = self._judged(output)
        there = true.there
        metrics["confusion"].update(said[there], true.classes[there])
        metrics["places"].update(overlap[there], (said == true.classes)[there])

    def _judged(self, output: StepOutput) -> tuple[Tensor, Tensor]:
        """The class that a net says of each sample (B,), and the IoU of its box (B,)."""
        corners = self._corners(output.predictions)
        overlap = box_iou(corners * self._size(corners), output.targets.boxes).diagonal().nan_to_num()
        return output.predictions[:, :-SIDES].argmax(1), overlap

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        confusion, places = metrics["confusion"].compute(), metrics["places"].compute()
        if not self.classifies:
            return Readings({name: places[name] for name in ("iou", "iou_50")})
        correct, count = confusion.double().diagonal(), confusion.double().sum(1)
        values = {"accuracy": float(correct.sum() / count.sum().clamp(min=1)), **places}
        return Readings(values, {"accuracy": (correct / count).tolist()}, {"confusion": confusion.numpy()})

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        said, overlap = self._judged(output)
        probability = output.predictions[:, :-SIDES].float().softmax(1).amax(1)
        corners = self._corners(output.predictions)
        edges = (corners * self._size(corners)).cpu().numpy()
        columns = {"index": batch["index"], "target": output.targets.classes, "prediction": said}
        columns |= {"probability": probability, "iou": overlap}
        found = {name: values.cpu().numpy() for name, values in columns.items()}
        return found | {name: edges[:, i] for i, name in enumerate(("x1", "y1", "x2", "y2"))}

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[dict[str, np.ndarray]]:
        """For each picture probabilities (K,) and its box (4,) as parts of its width and height."""
        given = self.outputs(batch).float()
        probabilities, boxes = given[:, :-SIDES].softmax(1).cpu().numpy(), self._corners(given).cpu().numpy()
        return [{"probabilities": one, "box": box} for one, box in zip(probabilities, boxes, strict=True)]


class Places(Sums):
    """IoU of boxes, and how many are right."""

    def __init__(self) -> None:
        super().__init__(4, torch.float64)

    @torch.no_grad()
    def update(self, overlap: Tensor, named: Tensor) -> None:
        """Count a batch: IoU (B,), and whether the class is right (B,)."""
        good = overlap >= GOOD
        sums = [overlap.double().sum(), good.sum(), (good & named).sum(), overlap.new_tensor(len(overlap))]
        self._on(overlap.device).add_(torch.stack([one.double() for one in sums]))

    def compute(self) -> dict[str, float]:
        """Over all batches of all processes."""
        total = self.total().tolist()
        return {name: one / max(total[3], 1) for name, one in zip(("iou", "iou_50", "localised"), total, strict=False)}
