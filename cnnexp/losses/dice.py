"""The soft Dice loss: how far the predicted pixels of each class overlap the true ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from cnnexp.augmentation.motion import VOID
from cnnexp.losses.term import Loss, Term, at_least_one, at_least_single


class Dice(Loss):
    """1 - D, with D_c = 2 Σ p g / (Σ p + Σ g) of a class c over the pixels of a sample.

    D is the mean over the classes that the sample shows, and the loss the mean over samples, so that a batch may be cut
    or divided over processes. A class that a sample does not show has no overlap to be measured; what is taken for it
    is missing in the classes that are there. A sample that is all void is no sample.

    Source: Milletari, Navab, Ahmadi 2016, "V-Net", section 3, for one class of objects; there the denominator is
    Σ p² + Σ g² (``squares``).

    Args:
        squares: the published denominator in place of the sums. class_weights: of each class, or none; the mean over a
            sample's classes is then weighed by them.
    """

    reads: ClassVar[str | None] = "mask"
    of_whole_masks = True
    term: ClassVar[str] = "dice_loss"

    class_weights: Tensor | None

    def __init__(self, *, squares: bool = False, class_weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.squares = squares
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)

    def weigh(self, weights: Tensor) -> None:
        self.class_weights = weights

    def count(self, truth: Mapping[str, Tensor]) -> Tensor:
        """Samples that show something: in which a pixel that is not void has a class of a weight above 0."""
        mask = truth["mask"].flatten(1).long()
        valid = mask != VOID
        if self.class_weights is not None:
            valid &= self.class_weights[mask.where(valid, 0)] > 0
        return valid.any(1).sum()

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of logits (B, K, ...) and ``mask`` (B, ...) of pictures H × W or volumes D × H × W, 255 = void."""
        mask = truth["mask"].flatten(1).long()
        valid = mask != VOID
        probability = at_least_single(answer).flatten(2).softmax(1)
        true = mask[:, None] == torch.arange(probability.shape[1], device=mask.device)[:, None]
        overlap, shown = probability.where(true, 0).sum(2), true.sum(2)
        said = (valid[:, None] * (probability.square() if self.squares else probability)).sum(2)
        weights = (shown > 0).to(probability)
        if self.class_weights is not None:
            weights = weights * self.class_weights.to(probability)
        dice = 2 * overlap / at_least_one(said + shown)
        of_samples = (weights * (1 - dice)).sum(1) / at_least_one(weights.sum(1))
        count = self.count(truth)
        return Term(self.term, of_samples.sum() / at_least_one(count), count)
