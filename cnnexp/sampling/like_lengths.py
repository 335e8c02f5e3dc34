"""Batches of samples that are about as long as one another, so that little of a batch is padding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnexp.draws import permutation
from cnnexp.sampling.base import Known, Sampling

_KEY, _BATCHES_KEY = 0x1E6, 0x1E7


class LikeLengths(Sampling):
    """A permutation, of which every ``batches_sorted`` batches are sorted by length and cut; then the batches shuffled.

    Every sample comes once an epoch, as when shuffled, beside other samples each time. What is over comes in other
    epochs.

    Args:
        batches_sorted: batches that are sorted together, at least 1. With more of them batches are more alike within,
            and fewer others may stand beside a sample.
    """

    needs_lengths = True

    def __init__(self, *, batches_sorted: int) -> None:
        self.batches_sorted = batches_sorted

    def problems(self, known: Known, batch_size: int) -> list[str]:
        if self.batches_sorted < 1:
            return [f"sampling.batches_sorted={self.batches_sorted}: expected a whole number of at least 1"]
        return super().problems(known, batch_size)

    def epoch(self, count: int, known: Known, batch_size: int, seed: int, epoch: int) -> NDArray[np.int64]:
        lengths = known.lengths
        assert lengths is not None
        batches = self.batches(count, batch_size)
        order = permutation(count, _KEY, seed, epoch)[: batches * batch_size]
        for begin in range(0, len(order), self.batches_sorted * batch_size):
            part = order[begin : begin + self.batches_sorted * batch_size]
            part[:] = part[np.argsort(lengths[part], kind="stable")]
        return order.reshape(batches, batch_size)[permutation(batches, _BATCHES_KEY, seed, epoch)]
