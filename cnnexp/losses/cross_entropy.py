"""Cross entropy of one class for each sample, or for each part of a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.losses.term import Loss, Term


class CrossEntropy(Loss):
    """-log p of the true class, the mean over samples or all their parts, weighed by class where classes have weights.

    Source: label smoothing is that of Szegedy et al. 2015, "Rethinking the Inception architecture", section 7; a
    blended sample's loss is that against both labels, each by its share (Zhang et al. 2017, "mixup", section 2).

    Args:
        label_smoothing: in [0, 1). class_weights: of each class, or none.
    """

    reads: ClassVar[str | None] = "label"

    class_weights: Tensor | None
    mixes = True

    def __init__(self, *, label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)

    def weigh(self, weights: Tensor) -> None:
        self.class_weights = weights

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of logits (B, K) and ``label`` int64 (B,), with ``mixed_label`` and ``mix`` (B,) for blended samples; or of
        (B, K, T) and (B, T)."""
        smoothing = self.label_smoothing if train else 0.0
        if "mix" in truth:
            return self._mixed(answer, truth, smoothing)
        label = truth["label"]
        loss = functional.cross_entropy(answer, label, self.class_weights, label_smoothing=smoothing)
        return Term(
            "cross_entropy", loss, label.numel() if self.class_weights is None else self.class_weights[label].sum()
        )

    def _mixed(self, logits: Tensor, truth: Mapping[str, Tensor], smoothing: float) -> Term:
        own, other = (
            functional.cross_entropy(logits, label, self.class_weights, label_smoothing=smoothing, reduction="none")
            for label in (truth["label"], truth["mixed_label"])
        )
        losses = torch.lerp(other, own, truth["mix"].to(own.dtype))
        if self.class_weights is None:
            return Term("cross_entropy", losses.mean(), len(losses))
        weights = torch.lerp(
            self.class_weights[truth["mixed_label"]], self.class_weights[truth["label"]], truth["mix"].to(losses.dtype)
        )
        return Term("cross_entropy", losses.sum() / weights.sum(), weights.sum())
