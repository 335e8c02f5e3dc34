"""How often words stand near each other: sparse symmetric counts."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from cnnexp.models.word_numbers import PADDING
from cnnexp.models.word_windows import known_words


class Cooccurrences:
    """X, of which only what is not 0 is held, and of (i, j) and (j, i), which are equal, only that with i ≤ j.

    Args:
        vocabulary: numbers of words. keys: int64 (N,), i * vocabulary + j, rising. counts: float64 (N,), X_ij.
    """

    def __init__(self, vocabulary: int, keys: Tensor, counts: Tensor) -> None:
        self.vocabulary, self.keys, self.counts = vocabulary, keys, counts

    @classmethod
    def of(cls, texts: Iterable[Tensor], vocabulary: int, window: int) -> Cooccurrences:
        """Those of some batches of texts, each int64 (B, L)."""
        parts = [beside_each_other(text, vocabulary, window) for text in texts]
        keys, counts = _summed(torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts]))
        return cls(vocabulary, keys, counts)

    @property
    def entries(self) -> int:
        """How many X_ij are not 0, (i, j) and (j, i) apart."""
        return 2 * len(self.keys) - int(self.same(self.keys).sum())

    def same(self, keys: Tensor) -> Tensor:
        """Which are of a word beside itself, bool (N,)."""
        return keys // self.vocabulary == keys % self.vocabulary

    def at(self, keys: Tensor) -> Tensor:
        """X of some keys, (M,); 0 for pairs that never stand near each other."""
        if self.keys.device != keys.device:
            self.keys, self.counts = self.keys.to(keys.device), self.counts.to(keys.device)
        if not len(self.keys):
            return torch.zeros_like(keys, dtype=self.counts.dtype)
        places = torch.searchsorted(self.keys, keys).clamp(max=len(self.keys) - 1)
        return self.counts[places] * (self.keys[places] == keys)


def beside_each_other(x: Tensor, vocabulary: int, window: int) -> tuple[Tensor, Tensor]:
    """Keys as ``Cooccurrences`` has them, and X_ij of some texts int64 (B, L) by themselves.

    Each pair of words that stand d places apart, up to the window, counts 1 / d in X_ij and in X_ji; words that have no
    number are left out of the text before.
    """
    words = known_words(x)
    keys, counts = [words.new_zeros(0)], [torch.zeros(0, dtype=torch.float64, device=x.device)]
    for away in range(1, min(window, words.shape[1] - 1) + 1):
        first, second = words[:, :-away], words[:, away:]
        there = second != PADDING
        low, high = torch.minimum(first, second)[there], torch.maximum(first, second)[there]
        keys.append(low * vocabulary + high)
        counts.append((1 + (low == high).double()) / away)
    return _summed(torch.cat(keys), torch.cat(counts))


def _summed(keys: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    found, places = keys.unique(return_inverse=True)
    return found, counts.new_zeros(len(found)).index_add_(0, places, counts)


def positive_information(counted: Cooccurrences, first: int, contexts: int) -> Tensor:
    """By how much more often than by chance words stand near the most frequent ones, float (words, contexts).

    max(0, ln(X_ij X / (X_i X_j))), with X_i the sum of row i and X that of all: positive pointwise mutual information
    (Church and Hanks 1990; Turney and Pantel 2010, section 4.2). Scaled to rows of length 1.

    Args:
        first: the number of the most frequent word, which is the first row and column.
    """
    size = counted.vocabulary
    low, high = counted.keys // size, counted.keys % size
    sums = torch.zeros(size, dtype=torch.float64).index_add_(0, low, counted.counts)
    sums.index_add_(0, high, counted.counts * (low != high))
    table = torch.zeros(size - first, contexts, dtype=torch.float64)
    for row, column in ((low, high), (high, low)):
        kept = (row >= first) & (column >= first) & (column < first + contexts)
        expected = sums[row[kept]] * sums[column[kept]] / sums.sum()
        table[row[kept] - first, column[kept] - first] = (counted.counts[kept] / expected).log().clamp(min=0)
    return torch.nn.functional.normalize(table).float()
