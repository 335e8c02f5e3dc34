"""Every sample once an epoch, in a random order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnexp.draws import permutation
from cnnexp.sampling.base import Known, Sampling

_KEY = 0x0D3


class Shuffled(Sampling):
    """A permutation cut into batches. What is over comes in other epochs, and every batch weighs the same."""

    def epoch(self, count: int, known: Known, batch_size: int, seed: int, epoch: int) -> NDArray[np.int64]:
        order = permutation(count, _KEY, seed, epoch)
        return order[: self.batches(count, batch_size) * batch_size].reshape(-1, batch_size)
