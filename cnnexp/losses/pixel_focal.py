"""Focal loss of one class for each pixel, or each voxel of a volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from cnnexp.augmentation.motion import VOID
from cnnexp.errors import InputError
from cnnexp.losses.pixel_cross_entropy import counted_pixels
from cnnexp.losses.term import Loss, Term, at_least_one, at_least_single


class PixelFocal(Loss):
    """-α (1 - p)^γ log p of the true class, the mean over the pixels that are not void: what is sure counts less.

    Source: Lin, Goyal, Girshick, He, Dollár 2017, "Focal loss for dense object detection", equation 5, there of two
    classes by sigmoids and divided by the number of objects; here of K classes by a softmax. γ = 0 is cross entropy.

    Args:
        gamma: γ, 0 or more. alpha: a factor α on each class's pixels, which does not change what the mean is over; or
            one in [0, 1] for the second of two classes, whose first then has 1 - α, as published; None for none.
        num_classes: K. class_weights: of each class, or none; the mean is then weighed by them.

    Raises:
        ValueError: γ is negative; α does not fit the classes.
        InputError: α stands beside class weights.
    """

    reads: ClassVar[str | None] = "mask"
    term: ClassVar[str] = "focal"

    alpha: Tensor | None
    class_weights: Tensor | None

    def __init__(
        self,
        *,
        gamma: float,
        num_classes: int,
        alpha: float | Sequence[float] | None = None,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if gamma < 0:
            raise ValueError(f"loss.gamma={gamma:g}: must be 0 or more")
        self.gamma = gamma
        self.register_buffer("alpha", _factors(alpha, num_classes), persistent=False)
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", None, persistent=False)
        if weights is not None:
            self.weigh(weights)

    def weigh(self, weights: Tensor) -> None:
        if self.alpha is not None:
            raise InputError("loss.alpha: weighs classes as regularization.class_weights does; take one of the two")
        self.class_weights = weights

    def count(self, truth: Mapping[str, Tensor]) -> Tensor:
        """The pixels that are not void, or the sum of their classes' weights."""
        return counted_pixels(truth, self.class_weights)

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of logits (B, K, ...) and ``mask`` (B, ...) of pictures H × W or volumes D × H × W, 255 = void."""
        mask = truth["mask"].long()
        valid = mask != VOID
        classes = mask.where(valid, 0)
        logarithm = at_least_single(answer).log_softmax(1).gather(1, classes[:, None])[:, 0]
        # 1 - p, exact where p is near 1; at 0 itself a power of gamma below 1 has no slope
        doubt = (-torch.expm1(logarithm)).clamp(min=torch.finfo(logarithm.dtype).tiny)
        losses = -(doubt**self.gamma) * logarithm
        factors = self.alpha if self.class_weights is None else self.class_weights
        if factors is not None:
            losses = losses * factors.to(losses)[classes]
        count = self.count(truth)
        return Term(self.term, losses.where(valid, 0).sum() / at_least_one(count), count)


def _factors(alpha: float | Sequence[float] | None, classes: int) -> Tensor | None:
    if alpha is None:
        return None
    if isinstance(alpha, (int, float)):
        if classes != 2 or not 0 <= alpha <= 1:
            raise ValueError(
                f"loss.alpha={alpha:g}: a single one is in [0, 1] and for two classes, and there are {classes}; give a "
                "list with a factor for each"
            )
        return torch.tensor([1 - alpha, alpha], dtype=torch.float32)
    if len(alpha) != classes or min(alpha) < 0:
        shown = ",".join(f"{one:g}" for one in alpha)
        raise ValueError(f"loss.alpha=[{shown}]: expected a factor of 0 or more for each of the {classes} classes")
    return torch.tensor(alpha, dtype=torch.float32)
