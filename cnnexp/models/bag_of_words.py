"""A linear layer on how often each word occurs in a text: the baseline that knows of no order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from cnnexp.models.word_numbers import FIRST_WORD, PADDING


class BagOfWords(nn.Module):
    """Softmax regression on counts of words, or on TF-IDF vectors.

    ``counts``: x_w is how often word w occurs. ``tf_idf``: x_w times ln((1 + n) / (1 + n_w)) + 1, with n training texts
    of which n_w hold w, and the vector scaled to length 1 (Salton and Buckley 1988, in the form that scikit-learn has).
    Words without a number count for nothing.

    Args:
        vocabulary: numbers of words, padding and the unknown word among them.
        num_classes: number of classes K.
        texts, found_in: n, and n_w of each word by its number; None before they are learnt, and all words weigh 1.
        vectors: what stands for a text.
    """

    weight_of_word: Tensor

    def __init__(
        self,
        *,
        vocabulary: int,
        num_classes: int,
        texts: int | None,
        found_in: Sequence[int] | None,
        vectors: Literal["counts", "tf_idf"] = "tf_idf",
    ) -> None:
        super().__init__()
        self.scaled = vectors == "tf_idf"
        weights = torch.ones(vocabulary - FIRST_WORD)
        if self.scaled and texts is not None and found_in is not None:
            weights = ((1 + texts) / (1 + torch.tensor(found_in).double())).log().add(1).float()
        self.register_buffer("weight_of_word", weights, persistent=False)
        self.linear = nn.Linear(vocabulary - FIRST_WORD, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of the numbers of words, int64 (B, L)."""
        return self.linear(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """The vector of each text, (B, words)."""
        counts = torch.zeros(len(x), FIRST_WORD + len(self.weight_of_word), device=x.device)
        counts = counts.scatter_add(1, x, (x != PADDING).float())[:, FIRST_WORD:] * self.weight_of_word
        return nn.functional.normalize(counts) if self.scaled else counts
