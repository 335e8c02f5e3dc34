"""Batches of a split for one process of a run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnexp.sampling.base import Known, Sampling


class Order:
    """Which samples each batch holds, for one process of a run.

    A training epoch is drawn from (seed, epoch) as global batches; each process takes its equal share of every one.
    Lightning sets the epoch through ``set_epoch``.

    Args:
        positions: int64 (N,), the samples that take part.
        batch_size: global; a multiple of ``world``.
        sampling: how they are drawn; None for an evaluation, which takes every sample once, in the order given.
        known: of the samples at these positions.
    """

    def __init__(
        self,
        positions: NDArray[np.int64],
        batch_size: int,
        rank: int = 0,
        world: int = 1,
        *,
        sampling: Sampling | None = None,
        seed: int = 0,
        known: Known | None = None,
    ) -> None:
        self.positions = positions
        self.batch_size = batch_size if sampling is None else min(batch_size, len(positions) // world * world)
        self.sampling, self.seed, self.known = sampling, seed, known or Known()
        self.rank, self.world = rank, world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The epoch whose batches come next, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        if self.sampling is not None:
            return self.sampling.batches(len(self.positions), self.batch_size)
        share = len(self.positions[self.rank :: self.world])
        return -(-share // (self.batch_size // self.world))

    def batches(self) -> list[NDArray[np.int64]]:
        """The positions of every batch of this process in this epoch."""
        size = self.batch_size // self.world
        if self.sampling is None:
            share = self.positions[self.rank :: self.world]
            return [share[start : start + size] for start in range(0, len(share), size)]
        if not len(self):
            return []
        drawn = self.sampling.epoch(len(self.positions), self.known, self.batch_size, self.seed, self.epoch)
        return list(self.positions[drawn].reshape(len(drawn), self.world, size)[:, self.rank])
