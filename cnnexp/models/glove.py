"""GloVe: products of vectors are logarithms of how often words stand near each other (Pennington et al. 2014)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bounds import at_least_one
from cnnexp.models.cooccurrence import Cooccurrences, beside_each_other
from cnnexp.models.word_numbers import PADDING


class GloVe(nn.Module):
    """Two vectors w, w̃ and two numbers b, b̃ for each word, by weighted least squares of logarithms of counts:

        J = Σ_ij f(X_ij) (w_i · w̃_j + b_i + b̃_j - ln X_ij)²,   f(x) = min(1, (x / x_max)^α)

    over all X_ij that are not 0. Pennington, Socher and Manning 2014, "GloVe: global vectors for word representation",
    equations 8 and 9. The vector of a word is w + w̃.

    A batch is texts, as for every other net, and holds of each entry the part x_ij / X_ij, where x is counted in these
    texts and X in all training texts. Its loss is the mean of the entries weighed by these parts, so that the parts,
    and with them the sums of an epoch over all texts, add up to 1 and to J. Entries as samples would need a data set
    of their own, to be split, cut and recorded apart from the texts.

    Args:
        vocabulary: numbers of words. width: numbers in a vector. window: places to either side that count.
        x_max, alpha: of f.

    Raises:
        InputError: a number below 1, or not above 0.
    """

    loss_terms: ClassVar[tuple[str, ...]] = ("least_squares",)
    vector_tables: ClassVar[tuple[str, ...]] = ("embedding", "context")

    def __init__(self, *, vocabulary: int, width: int, window: int, x_max: float, alpha: float) -> None:
        super().__init__()
        at_least_one(width=width, window=window)
        for name, value in (("x_max", x_max), ("alpha", alpha)):
            if value <= 0:
                raise InputError(f"model.{name}={value:g}: expected a number above 0")
        self.window, self.x_max, self.alpha, self.vocabulary = window, x_max, alpha, vocabulary
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=PADDING)
        self.context = nn.Embedding(vocabulary, width, padding_idx=PADDING)
        self.bias, self.context_bias = nn.Embedding(vocabulary, 1), nn.Embedding(vocabulary, 1)
        with torch.no_grad():
            for table in (self.embedding, self.context):
                table.weight.uniform_(-0.5 / width, 0.5 / width)
                table.weight[PADDING] = 0
            self.bias.weight.zero_()
            self.context_bias.weight.zero_()
        self.counted: Cooccurrences | None = None
        """X, once the training texts were seen."""

    def forward(self, x: Tensor) -> Tensor:
        """The vectors of words (B, L, width), of their numbers, int64 (B, L)."""
        return self.embedding(x) + self.context(x)

    def count(self, texts: Iterable[Tensor]) -> None:
        """Count X in the training texts, batches int64 (B, L)."""
        self.counted = Cooccurrences.of(texts, self.vocabulary, self.window)

    def losses(self, x: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """The mean of the terms of J weighed by the parts that texts int64 (B, L) have of them, and the sum of these.

        Of texts that were not counted, pairs that X has not are left out.
        """
        assert self.counted is not None, "the training texts were not counted"
        keys, there = beside_each_other(x, self.vocabulary, self.window)
        total = self.counted.at(keys)
        keys, part, total = keys[total > 0], (there / total)[total > 0], total[total > 0]
        first, second = keys // self.vocabulary, keys % self.vocabulary
        part = part * torch.where(first == second, 0.5, 1.0)  # once, where both ways round are one entry
        weight = (part * (total / self.x_max).pow(self.alpha).clamp(max=1)).float()
        errors = self._error(first, second, total).square() + self._error(second, first, total).square()
        count = 2 * part.sum().float()
        return {self.loss_terms[0]: ((weight * errors).sum() / torch.where(count > 0, count, 1), count)}

    def _error(self, i: Tensor, j: Tensor, counts: Tensor) -> Tensor:
        product = (self.embedding(i) * self.context(j)).sum(1)
        return product + self.bias(i)[:, 0] + self.context_bias(j)[:, 0] - counts.log().float()
