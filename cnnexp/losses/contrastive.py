"""Pairs: what is alike drawn together, what is not pushed apart as far as a margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from cnnexp.losses.term import Loss, Term
from cnnexp.losses.whole_batch import for_the_mean, whole_batch

_TINY = 1e-12
"""The least squared distance whose root is taken: the root of 0 has no slope."""


class Contrastive(Loss):
    """d²/2 of pairs of one identity, max(0, margin - d)²/2 of others, d the Euclidean distance.

    Source: Hadsell, Chopra and LeCun 2006, "Dimensionality reduction by learning an invariant mapping", equation 4.
    They add up pairs as a data set lists them; here all pairs of a batch are taken, of which most are of two
    identities, so the loss is the mean over pairs of one identity plus that over the others.

    Args:
        margin: in (0, 2]; embeddings of length 1 are at most 2 apart.

    Raises:
        ValueError: another margin.
    """

    reads: ClassVar[str | None] = "identity"
    compares: ClassVar[bool] = True

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        if not 0 < margin <= 2:
            raise ValueError(f"loss.margin={margin:g}: expected a number above 0 and at most 2")
        self.margin = margin

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of embeddings (B, d) of length 1, and ``identity`` and ``sample`` int64 (B,)."""
        batch = whole_batch(answer, truth)
        squared = batch.squared_distances
        missing = (self.margin - squared.clamp(min=_TINY).sqrt()).clamp(min=0)
        loss = _mean(squared, batch.same) / 2 + _mean(missing.square(), batch.different) / 2
        return Term("contrastive", for_the_mean(loss), len(answer))


def _mean(values: Tensor, of: Tensor) -> Tensor:
    return (values * of).sum() / of.sum().clamp(min=1)
