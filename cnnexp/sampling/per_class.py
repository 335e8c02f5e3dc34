"""Batches of P classes with K samples each, for losses that compare the samples of a batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnexp.draws import permutation
from cnnexp.sampling.balanced import endless
from cnnexp.sampling.base import Known, Sampling

_KEY = 0x9C1


class PerClass(Sampling):
    """In every batch ``samples`` of each of some classes. Hermans et al. 2017, "In defense of the triplet loss".

    The classes of the batches are permutation after permutation of all classes; ``batch_size`` decides how many there
    are in one.

    Args:
        samples: K, at least 2.
    """

    needs_labels = True

    def __init__(self, *, samples: int) -> None:
        self.samples = samples

    def problems(self, known: Known, batch_size: int) -> list[str]:
        found, labels = super().problems(known, batch_size), known.labels
        if found or labels is None:
            return found
        if self.samples < 2 or batch_size % self.samples:
            return [
                f"sampling.samples={self.samples}: a batch of batch_size={batch_size} is not made of whole classes; "
                "take at least 2, and a batch_size that is a multiple of it"
            ]
        classes, there = batch_size // self.samples, len(np.unique(labels))
        if classes > there:
            return [
                f"batch_size={batch_size}: {classes} classes of {self.samples} samples, and the data has {there} "
                "classes; take a smaller batch, or more sampling.samples"
            ]
        if batch_size > len(labels):
            return [f"batch_size={batch_size}: there are {len(labels)} samples to train with; take a smaller batch"]
        return []

    def epoch(self, count: int, known: Known, batch_size: int, seed: int, epoch: int) -> NDArray[np.int64]:
        labels = known.labels
        assert labels is not None
        batches, classes = self.batches(count, batch_size), np.unique(labels)
        each = batch_size // self.samples
        turns = self._turns(len(classes), batches, each, seed, epoch)
        times = np.bincount(turns.reshape(-1), minlength=len(classes))
        pools = [
            endless(np.flatnonzero(labels == one), int(times[place]) * self.samples, seed, epoch, int(one))
            for place, one in enumerate(classes)
        ]
        taken = np.zeros(len(classes), np.int64)
        rows = np.empty((batches, each, self.samples), np.int64)
        for batch, place in np.ndindex(batches, each):
            one = turns[batch, place]
            rows[batch, place] = pools[one][taken[one] : taken[one] + self.samples]
            taken[one] += self.samples
        return rows.reshape(batches, batch_size)

    def _turns(self, classes: int, batches: int, each: int, seed: int, epoch: int) -> NDArray[np.int64]:
        """Which classes each batch holds, none twice, (batches, each)."""
        per_round = classes // each
        rounds = -(-batches // per_round) if per_round else 0
        orders = [permutation(classes, _KEY, seed, epoch, one)[: per_round * each] for one in range(rounds)]
        return np.concatenate(orders).reshape(-1, each)[:batches] if orders else np.empty((0, each), np.int64)
