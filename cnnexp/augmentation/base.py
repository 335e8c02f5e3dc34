"""What every augmentation is."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Augmenting(ABC):
    """Changes training samples in every epoch: a function of (seed, epoch, index of the sample) alone."""

    @property
    @abstractmethod
    def active(self) -> bool:
        """False when nothing is switched on."""
