"""What it is and where: cross entropy of the class, squared error of the box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from cnnexp.losses.cross_entropy import CrossEntropy
from cnnexp.losses.term import Loss, Term

CLASS, BOX = "class", "box"


class Localization(Loss):
    """-log p of the true class, and λ · ‖b - b̂‖² of its box; each the mean over the samples that have one.

    A box is its centre, width and height, (cx, cy, w, h), as parts of the picture's width and height. Source: Sermanet
    et al. 2014, "OverFeat", section 4.2, which regresses the edges of a box under an l2 loss beside the classifier.

    Args:
        box_weight: λ, 0 or more. label_smoothing, class_weights: of the cross entropy.

    Raises:
        ValueError: λ is negative.
    """

    reads: ClassVar[str | None] = "boxes"
    alone: ClassVar[bool] = True

    def __init__(
        self, *, box_weight: float, label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        if box_weight < 0:
            raise ValueError(f"loss.box_weight={box_weight:g}: must be 0 or more")
        self.box_weight = box_weight
        self.of_class = CrossEntropy(label_smoothing=label_smoothing, class_weights=class_weights)

    def weigh(self, weights: Tensor) -> None:
        self.of_class.weigh(weights)

    def weights_of(self, label: Tensor) -> Tensor:
        """What the mean over samples of these classes, int64 (N,), is divided by: their number, or the sum of their
        weights."""
        weights = self.of_class.class_weights
        return label.new_tensor(len(label)) if weights is None else weights[label].sum()

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """One of the two terms: of boxes (N, 4) and ``box`` (N, 4), or of logits (N, K) and ``label`` int64 (N,).

        N may be 0; the mean is 0 then.
        """
        if "box" in truth:
            mean = self.box_weight * (answer - truth["box"]).square().sum() / max(len(answer), 1)
            # a tensor, as processes may have lost different numbers of objects
            return Term(BOX, mean, torch.tensor(len(answer), device=answer.device))
        label = truth["label"]
        count = self.weights_of(label)
        mean = self.of_class(answer, truth, train).mean if len(label) else answer.sum()
        return Term(CLASS, mean, count)
