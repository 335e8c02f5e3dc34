"""The augmentation of texts: words that become unknown, words that are left out, neighbours that change places."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cnnexp.augmentation.base import Augmenting
from cnnexp.draws import uniform
from cnnexp.errors import InputError

PADDING, UNKNOWN = 0, 1
"""The numbers behind the end of a text, and of a word that has no other."""
_KEY = 0x7E87


class TextAugmentation(Augmenting):
    """Draws for every word of a text, from (seed, epoch, index of the text, place) alone.

    Unknown words are otherwise met in the test alone, where their vector is what it began as; a net that has met some
    relies on the others too (Bowman et al. 2016, "Generating sentences from a continuous space", section 2.1; Iyyer et
    al. 2015, "Deep unordered composition", section 3.2, leaves words out).

    Args:
        seed: of the run.
        unknown: probability that a word becomes one without a number.
        left_out: that it is left out; of a text of which all would be, the first stays.
        swapped: that it changes places with the next one.

    Raises:
        InputError: a probability outside [0, 1).
    """

    def __init__(self, *, seed: int, unknown: float = 0.0, left_out: float = 0.0, swapped: float = 0.0) -> None:
        wrong = [
            f"augmentation.{name}={value:g}: expected a probability of at least 0 and below 1"
            for name, value in (("unknown", unknown), ("left_out", left_out), ("swapped", swapped))
            if not 0 <= value < 1
        ]
        if wrong:
            raise InputError(*wrong)
        self.seed, self.unknown, self.left_out, self.swapped = seed, unknown, left_out, swapped

    @property
    def active(self) -> bool:
        return bool(self.unknown or self.left_out or self.swapped)

    def texts(self, tokens: Tensor, index: Tensor, epoch: int) -> Tensor:
        """Numbers of words, int64 (B, L) and 0 behind the end of a text, changed; index: of the texts (B,)."""
        numbers = tokens.cpu().numpy().copy()
        places = np.arange(numbers.shape[1])
        key = (_KEY, self.seed, epoch, index.cpu().numpy()[:, None], places[None])
        if self.swapped:
            self._swap(numbers, uniform(*key, 0) < self.swapped)
        if self.unknown:
            numbers[(uniform(*key, 1) < self.unknown) & (numbers != PADDING)] = UNKNOWN
        if self.left_out:
            kept = (uniform(*key, 2) >= self.left_out) & (numbers != PADDING)
            kept[:, 0] |= ~kept.any(1)
            order = np.argsort(~kept, axis=1, kind="stable")
            numbers = np.take_along_axis(numbers * kept, order, axis=1)
        return torch.from_numpy(numbers).to(tokens.device)

    @staticmethod
    def _swap(numbers: np.ndarray, drawn: np.ndarray) -> None:
        """Pairs of neighbours that both are words, from the first on; a word moves once."""
        moved = np.zeros(len(numbers), bool)
        for place in range(numbers.shape[1] - 1):
            pair = drawn[:, place] & ~moved & (numbers[:, place + 1] != PADDING)
            numbers[pair, place], numbers[pair, place + 1] = numbers[pair, place + 1], numbers[pair, place]
            moved = pair
