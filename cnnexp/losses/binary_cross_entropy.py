"""Binary cross entropy of every class on its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from cnnexp.losses.term import Loss, Term


class BinaryCrossEntropy(Loss):
    """-log p where a class is there and -log (1 - p) where it is not, the mean over samples and classes."""

    reads: ClassVar[str | None] = "labels"

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of logits (B, K) and ``labels``, floats 0 or 1 of (B, K)."""
        shown = truth["labels"]
        loss = functional.binary_cross_entropy_with_logits(answer, shown)
        return Term("binary_cross_entropy", loss, len(shown))
