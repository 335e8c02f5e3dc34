"""How many of the true boxes are among the first proposals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchvision.ops import box_iou

from cnnexp.answers.boxes import ignored_in
from cnnexp.tasks.means import Sums

RECALL = "proposal_recall"
FIRST = 100
"""Proposals of a picture that count."""
OVERLAP = 0.5


class ProposalRecall(Sums):
    """The part of true boxes that one of a picture's first ``FIRST`` proposals meets with an IoU of ``OVERLAP``."""

    def __init__(self) -> None:
        super().__init__(2, torch.int64)

    @torch.no_grad()
    def update(self, found: Sequence[Mapping[str, Tensor]], truth: Sequence[Mapping[str, Tensor]]) -> None:
        """Count the pictures of a batch: ``proposals`` (p, 4); ``boxes`` (n, 4), less those that count for nothing.

        What was merged of several views has no proposals, and is not counted.
        """
        for one, true in zip(found, truth, strict=True):
            if "proposals" not in one:
                continue
            crowds, hard = ignored_in(true)
            boxes = true["boxes"][~(crowds | hard)]
            met = (box_iou(boxes.float(), one["proposals"][:FIRST].float()) >= OVERLAP).any(dim=1)
            self._on(boxes.device).add_(torch.stack([met.sum(), met.new_tensor(len(met), dtype=torch.int64)]))

    def compute(self) -> float:
        """In [0, 1]; NaN where nothing was there to be met."""
        met, there = self.total().tolist()
        return met / there if there else float("nan")
