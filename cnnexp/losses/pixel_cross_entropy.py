"""Cross entropy of one class for each pixel, or each voxel of a volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.augmentation.motion import VOID
from cnnexp.losses.term import Loss, Term, at_least_one


class PixelCrossEntropy(Loss):
    """-log p of the true class, the mean over the pixels that are not void.

    Args:
        class_weights: of each class, or none; the mean is then weighed by them.
    """

    reads: ClassVar[str | None] = "mask"
    term: ClassVar[str] = "cross_entropy"

    class_weights: Tensor | None

    def __init__(self, *, class_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)

    def weigh(self, weights: Tensor) -> None:
        self.class_weights = weights

    def count(self, truth: Mapping[str, Tensor]) -> Tensor:
        """The pixels that are not void, or the sum of their classes' weights."""
        return counted_pixels(truth, self.class_weights)

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of logits (B, K, ...) and ``mask`` (B, ...) of pictures H × W or volumes D × H × W, 255 = void."""
        mask, count = truth["mask"].long(), self.count(truth)
        total = functional.cross_entropy(answer, mask, self.class_weights, ignore_index=VOID, reduction="sum")
        return Term(self.term, total / at_least_one(count), count)


def counted_pixels(truth: Mapping[str, Tensor], class_weights: Tensor | None) -> Tensor:
    """How many pixels of ``mask`` (B, ...) are not void, or the sum of their classes' weights (K,)."""
    mask = truth["mask"].long()
    valid = mask != VOID
    return valid.sum() if class_weights is None else class_weights[mask[valid]].sum()
