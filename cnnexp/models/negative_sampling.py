"""What skip-gram and CBOW share: which words of a text count, how far each looks, and the words that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.errors import InputError
from cnnexp.models.anchored import ranks
from cnnexp.models.bounds import at_least_one
from cnnexp.models.word_numbers import FIRST_WORD, PADDING
from cnnexp.models.word_windows import around, distances, known_words, moved_together

POWER = 0.75
_UNIT = 2.0**-63
_DROPPED, _RADIUS, _PAIRS, _NEGATIVES = range(1, 5)


class NegativeSampling(nn.Module):
    """Two vectors for each word, of which the first is kept, learnt by telling words beside it from words drawn.

    Mikolov et al. 2013b, "Distributed representations of words and phrases and their compositionality", equation 4: for
    a vector h and a word w that fits it, the loss is

        -ln σ(u_w · h) - Σ_k ln σ(-u_k · h)

    over words k drawn from P(k) ∝ (occurrences of k)^(3/4); one that is w itself is left out. As in their program,
    words without a number are left out of a text first; then each occurrence of a word of the frequency f stays with
    the probability √(t / f), at most 1 (equation 5); each place looks up to r words to either side, r uniform from 1 to
    the window (2013a, section 3.2).

    All is drawn from a key of the text, so that it does not depend on the batch.

    Args:
        vocabulary, occurrences, width, window, negatives, subsample: as ``SkipGram`` says.
    """

    takes: ClassVar[tuple[str, ...]] = ("draws",)
    loss_terms: ClassVar[tuple[str, ...]] = ("negative_sampling",)
    vector_tables: ClassVar[tuple[str, ...]] = ("embedding",)
    """Names of the tables whose sum has the vectors of words as rows."""
    kept: Tensor
    up_to: Tensor

    def __init__(
        self,
        vocabulary: int,
        occurrences: Sequence[int] | None,
        width: int,
        window: int,
        negatives: int,
        subsample: float | None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, window=window, negatives=negatives)
        if subsample is not None and subsample <= 0:
            raise InputError(f"model.subsample={subsample:g}: expected a frequency above 0, such as 0.001, or null")
        self.window, self.negatives = window, negatives
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=PADDING)
        self.context = nn.Embedding(vocabulary, width, padding_idx=PADDING)
        with torch.no_grad():
            self.embedding.weight.uniform_(-0.5 / width, 0.5 / width)
            self.embedding.weight[PADDING] = 0
            self.context.weight.zero_()
        counts = _counts(vocabulary, occurrences)
        drawn = counts.pow(POWER).cumsum(0)
        frequency = counts / counts.sum()
        kept = torch.ones_like(counts) if subsample is None else (subsample / frequency).sqrt().clamp(max=1)
        self.register_buffer("kept", kept, persistent=False)
        self.register_buffer("up_to", drawn / drawn[-1], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The vectors of words (B, L, width), of their numbers, int64 (B, L)."""
        return self.embedding(x)

    def windows(self, x: Tensor, draws: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What there is to learn of texts int64 (B, L).

        Args:
            draws: int64 (B,), a key for each text.

        Returns:
            Words (B, M), those around them (B, M, 2 * window), and which of these are within reach, bool.

        Raises:
            InputError: no text has two words that stand together.
        """
        words = known_words(x)
        chance = ranks(draws, words.shape[1], _DROPPED).double() * _UNIT
        kept = self.kept[(words - FIRST_WORD).clamp(min=0)]
        words = moved_together(words, (words != PADDING) & (chance < kept))
        beside = around(words, self.window)
        radius = 1 + ranks(draws, words.shape[1], _RADIUS) % self.window
        reached = distances(self.window, x.device) <= radius[:, :, None]
        return words, beside, reached & (beside != PADDING) & (words != PADDING)[:, :, None]

    def pair_keys(self, draws: Tensor, places: int, each: int) -> Tensor:
        """A key for each of so many pairs of each place, int64 (B, places, each)."""
        return ranks(draws, places * each, _PAIRS).view(len(draws), places, each)

    def drawn(self, keys: Tensor) -> Tensor:
        """The numbers of words that are drawn, (N, negatives), from keys (N,)."""
        chance = ranks(keys, self.negatives, _NEGATIVES).double() * _UNIT
        return torch.searchsorted(self.up_to, chance, right=True).clamp(max=len(self.up_to) - 1) + FIRST_WORD

    def loss(self, hidden: Tensor, fitting: Tensor, keys: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """The mean of the loss over vectors h (N, width), each with the number of a word that fits it, (N,), and a key.

        Returns:
            With how many there are; the mean over none is 0.
        """
        drawn = self.drawn(keys)
        right = (self.context(fitting) * hidden).sum(1)
        wrong = torch.einsum("nkd,nd->nk", self.context(drawn), hidden)
        of_wrong = functional.softplus(wrong).masked_fill(drawn == fitting[:, None], 0)
        total = functional.softplus(-right).sum() + of_wrong.sum()
        return {self.loss_terms[0]: (total / max(1, len(hidden)), torch.tensor(len(hidden), device=hidden.device))}


def _counts(vocabulary: int, occurrences: Sequence[int] | None) -> Tensor:
    """How often each word with a number occurs, float64; all alike before it is known."""
    if occurrences is None:
        return torch.ones(vocabulary - FIRST_WORD, dtype=torch.float64)
    return torch.tensor(occurrences[1:], dtype=torch.float64)
