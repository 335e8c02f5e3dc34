"""CBOW: the words around a place say which word stands there (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from cnnexp.models.negative_sampling import NegativeSampling
from cnnexp.models.word_numbers import PADDING


class CBOW(NegativeSampling):
    """h is the mean of the vectors v of the words around a place; the word there is the one that fits.

    Mikolov et al. 2013a, "Efficient estimation of word representations in vector space", section 3.1.

    Args:
        vocabulary: numbers of words, padding and the unknown word among them.
        occurrences: of each number from 1, in the training texts; None before they are learnt.
        width: numbers in a vector. window: words to either side at most.
        negatives: words drawn for each that fits.
        subsample: t, the frequency from which on a word is left out now and then; None keeps all.

    Raises:
        InputError: a number below 1, or not above 0.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        occurrences: Sequence[int] | None,
        width: int,
        window: int,
        negatives: int,
        subsample: float | None,
    ) -> None:
        super().__init__(vocabulary, occurrences, width, window, negatives, subsample)

    def losses(self, x: Tensor, draws: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """The mean over all words that have others beside them.

        Args:
            x: numbers of words, int64 (B, L). draws: int64 (B,), a key for each text.
        """
        words, beside, valid = self.windows(x, draws)
        keys, some = self.pair_keys(draws, words.shape[1], 1)[:, :, 0], valid.any(2)
        # of what is out of reach the bag makes nothing
        mean = functional.embedding_bag((beside * valid)[some], self.embedding.weight, mode="mean", padding_idx=PADDING)
        return self.loss(mean, words[some], keys[some])
