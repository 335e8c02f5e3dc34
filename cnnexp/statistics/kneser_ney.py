"""How probable words are after one other: counted, and smoothed as Kneser and Ney do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int64]


class KneserNeyBigram:
    """Interpolated Kneser-Ney smoothing of bigrams.

    p(w|v) = max(c(vw) - D, 0) / c(v·) + D N(v·) / c(v·) p(w), where N(v·) is how many different words follow v. The
    lower order counts not how often a word is met but after how many different words: p(w) = max(N(·w) - D', 0) / N(··)
    + D' N / N(··) / K, with N words that follow some word, of K words in all. A word that nothing follows in training
    leaves p(w) alone. The discounts are D = n1 / (n1 + 2 n2), n1 and n2 being how many counts are 1 and 2.

    Kneser and Ney 1995, "Improved backing-off for m-gram language modeling"; interpolated as in Chen and Goodman 1999,
    "An empirical study of smoothing techniques for language modeling", section 2.7, whose lower order ends in 1 / K.

    Args:
        texts: the words of each, int64 (n,), from 0 on. words: K.
    """

    def __init__(self, texts: Iterable[Words], words: int) -> None:
        self.words, self.begin = words, words
        pairs = [_pairs(text, self.begin) for text in texts]
        before, word = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
        self._keys, self._counts = np.unique(before * words + word, return_counts=True)
        of_pair, after = np.divmod(self._keys, words)
        self._total = np.bincount(before, minlength=words + 1)
        self._different = np.bincount(of_pair, minlength=words + 1)
        self.discount = discount(self._counts)
        met = np.bincount(after, minlength=words)
        self.lower_discount = discount(met[met > 0])
        left = self.lower_discount * np.count_nonzero(met) / words
        self._lower = (np.maximum(met - self.lower_discount, 0) + left) / len(self._keys)

    def probabilities(self, before: Words, word: Words) -> NDArray[np.float64]:
        """Of words (N,), each after another (N,); ``begin`` stands before a text."""
        keys = before * self.words + word
        places = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        counts = np.where(self._keys[places] == keys, self._counts[places], 0)
        total, lower = self._total[before], self._lower[word]
        seen = np.maximum(total, 1)
        higher = np.maximum(counts - self.discount, 0) / seen + self.discount * self._different[before] / seen * lower
        return np.where(total > 0, higher, lower)

    def perplexity(self, texts: Iterable[Words]) -> float:
        """exp of the mean of -ln p over all words of some texts; infinite where one has the probability 0."""
        pairs = [_pairs(text, self.begin) for text in texts]
        before, word = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
        with np.errstate(divide="ignore"):
            return float(np.exp(-np.log(self.probabilities(before, word)).mean()))


def discount(counts: Words) -> float:
    """n1 / (n1 + 2 n2); 0 where no count is 1."""
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    return once / (once + 2 * twice) if once else 0.0


def _pairs(text: Words, begin: int) -> tuple[Words, Words]:
    return np.concatenate([[begin], text[:-1]]).astype(np.int64), text.astype(np.int64)
