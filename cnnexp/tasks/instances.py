"""Objects with classes, boxes and outlines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnexp.answers.base import Batch, Columns
from cnnexp.answers.instances import unpadded
from cnnexp.tasks.base import Parts, Readings, Stage, StepOutput
from cnnexp.tasks.finders import Finder
from cnnexp.tasks.outlined import answers_of, judged_answers, metrics_of_masks, read_masks, rows_of_masks


class Instances(Finder):
    """The net's own loss; COCO's mean average precision of masks, over IoU 0.50 to 0.95 (``map``) and at 0.50
    (``map_50``), and of the boxes (``box_map``, ``box_map_50``).

    Objects that are ignored are not learnt, and are COCO's crowds in the average precision. What a net has to answer
    says ``cnnexp.tasks.finders``; ``detect`` has masks, bool (n, H, W), too.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.answer = parts.facts.targets[parts.target or "instances"]

    def true(self, batch: Batch) -> list[dict[str, Tensor]]:
        return unpadded(batch)

    def judge(self, answer: Any, batch: Batch, stage: Stage) -> StepOutput:
        return judged_answers(answer, self.facts.input.arguments(batch)[0], batch)

    def build_metrics(self, stage: Stage) -> dict[str, nn.Module]:
        return metrics_of_masks(stage, len(self.answer.names))

    def read_metrics(self, metrics: Mapping[str, Any], stage: Stage) -> Readings:
        return read_masks(metrics, stage, len(self.answer.names))

    def rows(self, batch: Batch, output: StepOutput) -> Columns:
        return rows_of_masks(batch, output.predictions)

    @torch.no_grad()
    def predict(self, batch: Batch) -> list[dict[str, np.ndarray]]:
        """For each picture boxes (n, 4) as parts of its width and height, scores (n,), labels (n,), masks (n, H, W)."""
        (image, *others) = self.facts.input.arguments(batch)
        return answers_of(self.net.detect(image, *others), image)  # type: ignore[operator]
