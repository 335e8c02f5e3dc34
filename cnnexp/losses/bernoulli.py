"""Grey values as probabilities of white: the cross entropy of whole pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from cnnexp.losses.term import Loss, Term


class Bernoulli(Loss):
    """-x ln p - (1 - x) ln(1 - p), the sum over a picture's values and the mean over pictures: nats a picture.

    Source: Kingma and Welling 2013, "Auto-encoding variational Bayes", appendix C.1. Only of pictures of black and
    white is it a negative log-likelihood: for grey x it is at least the entropy of x, and not 0.
    """

    reads: ClassVar[str | None] = "probability"

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of logits (B, C, H, W) and ``probability`` (B, C, H, W) in [0, 1]; beyond, no value is the least."""
        return Term("bernoulli", self.of_each(answer, truth["probability"]).mean(), len(answer))

    @staticmethod
    def of_each(logits: Tensor, picture: Tensor) -> Tensor:
        """Nats of each picture, (B,)."""
        nats = functional.binary_cross_entropy_with_logits(logits, picture, reduction="none")
        return nats.flatten(1).sum(1)
