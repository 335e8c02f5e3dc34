"""What every way to draw the batches of an epoch is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Known(NamedTuple):
    """What is known of each sample that takes part, int64 (N,): its class, where it has one, and its length as it is
    stored, where samples have different ones."""

    labels: NDArray[np.int64] | None = None
    lengths: NDArray[np.int64] | None = None


class Sampling(ABC):
    """A function of (what is known, seed, epoch): the same in every process, and after a resume."""

    needs_labels: ClassVar[bool] = False
    """Whether each sample must be of one class."""
    needs_lengths: ClassVar[bool] = False
    """Whether each sample must have a length of its own."""

    @abstractmethod
    def epoch(self, count: int, known: Known, batch_size: int, seed: int, epoch: int) -> NDArray[np.int64]:
        """The batches of an epoch, (batches, batch_size): places among ``count`` samples.

        Args:
            batch_size: of the global batch, at most ``count``.
        """

    def problems(self, known: Known, batch_size: int) -> list[str]:
        """A line for each reason why such samples cannot be drawn so."""
        option = type(self).__module__.rpartition(".")[2]
        if self.needs_labels and known.labels is None:
            return [f"sampling={option}: the samples of this data have no single class each"]
        if self.needs_lengths and known.lengths is None:
            return [f"sampling={option}: the samples of this data are all of one length; sampling=shuffled"]
        return []

    def batches(self, count: int, batch_size: int) -> int:
        """Batches in an epoch; an incomplete last one is left out."""
        return count // batch_size if batch_size else 0
