"""A neural probabilistic language model: the next word from the vectors of those before it (Bengio et al. 2003)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bounds import at_least_one
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.word_numbers import PADDING

FIRST_RANGE = 0.1
"""Vectors begin uniform in plus and minus this."""


class NPLM(nn.Module):
    """y = b + W x + U tanh(d + H x), x the joined vectors of the n - 1 words before; softmax of y is the next word's.

    Bengio, Ducharme, Vincent and Jauvin 2003, "A neural probabilistic language model", equation 1. Before a text stand
    words whose vector is zero. All words without a number are one word, which is foretold as the others are: the
    classes are the numbers of words from 1. Here with dropout, and b begins as the logarithms of how often words occur.

    Args:
        vocabulary: numbers of words, padding and the unknown word among them.
        occurrences: of each number from 1, in the training texts; None before they are learnt.
        words: n, those before and the next one. width: numbers in a vector. hidden: units of the hyperbolic tangents.
        direct: whether W is there; without, it is 0.
        dropout: probability in [0, 1) of dropping an input of H and W, and of U.

    Raises:
        InputError: n below 2, another number below 1.
    """

    vector_tables: ClassVar[tuple[str, ...]] = ("embedding",)

    def __init__(
        self,
        *,
        vocabulary: int,
        occurrences: Sequence[int] | None,
        words: int,
        width: int,
        hidden: int,
        direct: bool,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, hidden=hidden)
        if words < 2:
            raise InputError(f"model.words={words}: expected 2 or more, the next word and at least one before it")
        self.before = words - 1
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=PADDING)
        self.drop = nn.Sequential(*dropout_layers(dropout))
        self.hidden = nn.Linear(self.before * width, hidden)
        self.drop_hidden = nn.Sequential(*dropout_layers(dropout))
        self.direct = nn.Linear(self.before * width, vocabulary - 1, bias=False) if direct else None
        self.linear = nn.Linear(hidden, vocabulary - 1)
        with torch.no_grad():
            self.embedding.weight.uniform_(-FIRST_RANGE, FIRST_RANGE)
            self.embedding.weight[PADDING] = 0
            if self.direct is not None:
                self.direct.weight.zero_()
            if occurrences is not None:
                self.linear.bias.copy_(torch.tensor(occurrences, dtype=torch.float64).clamp(min=1).log())

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the word at each place of texts int64 (B, L): (B, L, vocabulary - 1)."""
        return self.logits(self.contexts(x)[:, :-1])

    def contexts(self, x: Tensor) -> Tensor:
        """The n - 1 words before each place of texts (B, L), and before one more behind them: (B, L + 1, n - 1)."""
        return nn.functional.pad(x, (self.before, 0), value=PADDING).unfold(1, self.before, 1)

    def logits(self, contexts: Tensor) -> Tensor:
        """Of the word behind each context, numbers of words (..., n - 1): (..., vocabulary - 1)."""
        joined = self.drop(self.embedding(contexts).flatten(-2))
        answer = self.linear(self.drop_hidden(self.hidden(joined).tanh()))
        return answer if self.direct is None else answer + self.direct(joined)

    def stage_parts(self) -> list[list[str]]:
        """The vectors, the hidden layer, and what answers."""
        return [["embedding"], ["hidden"], ["direct", "linear"] if self.direct is not None else ["linear"]]
