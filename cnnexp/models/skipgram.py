"""Skip-gram: a word's vector says which words stand around it (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cnnexp.models.negative_sampling import NegativeSampling


class SkipGram(NegativeSampling):
    """h is the vector v of a word; each word beside it is one that fits.

    Mikolov et al. 2013a, "Efficient estimation of word representations in vector space", section 3.2.

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
        """The mean over all pairs of a word and one beside it.

        Args:
            x: numbers of words, int64 (B, L). draws: int64 (B,), a key for each text.
        """
        words, beside, valid = self.windows(x, draws)
        keys = self.pair_keys(draws, *beside.shape[1:])
        centres = words[:, :, None].expand_as(beside)
        return self.loss(self.embedding(centres[valid]), beside[valid], keys[valid])
