"""The words of a text without their order, as numbers from which a linear layer or the nearest texts tell its class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from cnnexp.models.bounds import at_least_one
from cnnexp.models.cooccurrence import Cooccurrences, positive_information
from cnnexp.models.nearest_texts import NearestTexts
from cnnexp.models.word_numbers import FIRST_WORD, PADDING


class BagOfWords(nn.Module):
    """Softmax regression on numbers of words, or the vote of the texts that are nearest in them.

    ``counts``: x_w is how often word w occurs. ``tf_idf``: x_w times ln((1 + n) / (1 + n_w)) + 1, with n training texts
    of which n_w hold w, and the vector scaled to length 1 (Salton and Buckley 1988, in the form that scikit-learn has).
    ``cooccurrence``: the sum of the vectors of the text's words, each weighed by the same logarithm, scaled to length
    1; the vector of a word is by how much more often than by chance it stands near each of the most frequent words
    (``positive_information``). Words without a number count for nothing.

    Args:
        vocabulary: numbers of words, padding and the unknown word among them.
        num_classes: number of classes K.
        length: words of a text, at most.
        texts, found_in: n, and n_w of each word by its number; None before they are learnt, and all words weigh 1.
        vectors: what stands for a text.
        contexts: of ``cooccurrence`` the most frequent words, beside which words are counted.
        window: words to either side that are near.
        classifier: ``linear``, or ``knn``: the nearest training texts, by cosine.
        neighbours: how many vote.

    Raises:
        InputError: a number below 1.
    """

    weight_of_word: Tensor
    vector_of_word: Tensor

    def __init__(
        self,
        *,
        vocabulary: int,
        num_classes: int,
        length: int,
        texts: int | None,
        found_in: Sequence[int] | None,
        vectors: Literal["tf_idf", "counts", "cooccurrence"] = "tf_idf",
        contexts: int = 500,
        window: int = 5,
        classifier: Literal["linear", "knn"] = "linear",
        neighbours: int = 10,
    ) -> None:
        super().__init__()
        at_least_one(contexts=contexts, window=window, neighbours=neighbours)
        self.vocabulary, self.scaled, self.window = vocabulary, vectors != "counts", window
        words = vocabulary - FIRST_WORD
        weights = torch.ones(words)
        if self.scaled and texts is not None and found_in is not None:
            weights = ((1 + texts) / (1 + torch.tensor(found_in).double())).log().add(1).float()
        self.register_buffer("weight_of_word", weights, persistent=False)
        self.counts_words = vectors != "cooccurrence"
        width = words if self.counts_words else min(contexts, words)
        self.register_buffer("vector_of_word", torch.zeros(0 if self.counts_words else words, width))
        self.nearest = NearestTexts(texts or 1, length, num_classes, neighbours) if classifier == "knn" else None
        self.linear = nn.Linear(width, num_classes) if classifier == "linear" else None

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of the numbers of words, int64 (B, L)."""
        vectors = self.features(x)
        if self.linear is not None:
            return self.linear(vectors)
        assert self.nearest is not None
        return self.nearest(vectors, self.features)

    def features(self, x: Tensor) -> Tensor:
        """The vector of each text, (B, words), or (B, contexts)."""
        counts = torch.zeros(len(x), self.vocabulary, device=x.device)
        counts = counts.scatter_add(1, x, (x != PADDING).float())[:, FIRST_WORD:] * self.weight_of_word
        if self.counts_words:
            return nn.functional.normalize(counts) if self.scaled else counts
        return nn.functional.normalize(counts @ self.vector_of_word)

    def remember(self, samples: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Take from the training texts, batches int64 (B, L) with labels (B,), what the vectors or the vote need."""
        if self.counts_words and self.nearest is None:
            return
        seen = list(samples)
        if not self.counts_words:
            counted = Cooccurrences.of((x for x, _ in seen), self.vocabulary, self.window)
            self.vector_of_word.copy_(positive_information(counted, FIRST_WORD, self.vector_of_word.shape[1]))
        if self.nearest is not None:
            self.nearest.remember(seen)
