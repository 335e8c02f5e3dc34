"""What every way to draw the batches of an epoch is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Lengths = NDArray[np.int64]


class Sampling(ABC):
    """A function of (labels or lengths, seed, epoch): the same in every process, and after a resume."""

    needs_labels: ClassVar[bool] = False
    """Whether each sample must be of one class."""
    needs_lengths: ClassVar[bool] = False
    """Whether each sample must have a length of its own."""

    @abstractmethod
    def epoch(
        self,
        count: int,
        labels: Labels | None,
        batch_size: int,
        seed: int,
        epoch: int,
        lengths: Lengths | None = None,
    ) -> NDArray[np.int64]:
        """The batches of an epoch, (batches, batch_size): places among ``count`` samples.

        Args:
            labels: (count,), where samples have one class. batch_size: of the global batch, at most ``count``.
            lengths: (count,), as stored, where samples have different ones.
        """

    def problems(self, labels: Labels | None, batch_size: int, lengths: Lengths | None = None) -> list[str]:
        """A line for each reason why such samples cannot be drawn so."""
        option = type(self).__module__.rpartition(".")[2]
        if self.needs_labels and labels is None:
            return [f"sampling={option}: the samples of this data have no single class each"]
        if self.needs_lengths and lengths is None:
            return [f"sampling={option}: the samples of this data are all of one length; sampling=shuffled"]
        return []

    def batches(self, count: int, batch_size: int) -> int:
        """Batches in an epoch; an incomplete last one is left out."""
        return count // batch_size if batch_size else 0
