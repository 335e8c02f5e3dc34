"""Splits → batches in an order that is a function of (seed, epoch), shared out over the processes of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from cnnexp.data.base import DataSet, FileSplit, Split, SplitName
from cnnexp.data.facts import Facts
from cnnexp.data.part import Part
from cnnexp.data.renumbered import Renumbering
from cnnexp.data.working import Failed, Guarded, as_it_is
from cnnexp.draws import permutation
from cnnexp.errors import InputError
from cnnexp.sampling.base import Known, Sampling
from cnnexp.sampling.order import Order
from cnnexp.sampling.shuffled import Shuffled

_EVALUATION_KEY = 0xE7A


class Loader:
    """Batches of a split in the order given; it can go on from the middle of an epoch.

    Samples in memory are indexed. Samples on disk are decoded by ``workers`` processes, or here when there are none.
    """

    def __init__(self, split: Split, order: Order, workers: int = 0) -> None:
        self.split = split
        self.sampler = order  # Lightning looks for ``sampler.set_epoch``, and for a batch sampler beside it
        self.batch_sampler = None
        self.workers = workers
        self._given = 0
        self._start: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        first = self._first_batch()
        batches = self.sampler.batches()[first:]
        self._given = first
        for batch in self._batches(batches):
            self._given += 1
            yield batch

    def _first_batch(self) -> int:
        """The position restored from a checkpoint, in the epoch that it belongs to and no other."""
        start, self._start = self._start, None
        return start[1] if start is not None and start[0] == self.sampler.epoch else 0

    def _batches(self, positions: Sequence[NDArray[np.int64]]) -> Iterator[dict[str, Tensor]]:
        if not (self.workers and isinstance(self.split, FileSplit)):
            yield from (self.split.batch(torch.from_numpy(one)) for one in positions)
            return
        loader: DataLoader[dict[str, Tensor] | Failed] = DataLoader(
            Guarded(self.split),
            batch_sampler=[one.tolist() for one in positions],
            num_workers=self.workers,
            collate_fn=as_it_is,
            generator=torch.Generator(),  # its own: the run's random numbers do not depend on the workers
            multiprocessing_context="spawn" if torch.cuda.is_available() else None,
        )
        for batch in loader:
            if isinstance(batch, Failed):
                raise batch.error
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Where the epoch is: the number of batches handed out."""
        return {"epoch": self.sampler.epoch, "batches": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there."""
        self._start = (int(state["epoch"]), int(state["batches"]))


class Data:
    """The three splits of a data set as loaders.

    Args:
        dataset: gives the splits. facts: of the data set.
        batch_size: global, divided over the processes.
        part: how much of the training split takes part.
        workers: loader processes for samples that stay on disk.
        seed: of the run; decides the order of training samples. sampling: how they are drawn.
    """

    def __init__(
        self,
        *,
        dataset: DataSet,
        facts: Facts,
        batch_size: int,
        part: Part | None = None,
        workers: int,
        seed: int,
        sampling: Sampling | None = None,
    ) -> None:
        self.dataset = dataset
        self.facts = facts
        self.batch_size = batch_size
        self.part = part or Part()
        self.workers = workers
        self.seed = seed
        self.sampling = sampling or Shuffled()
        self.renumbering: Renumbering | None = None
        """What gives classes the numbers by which a net knows them, where those are others."""
        self._splits: dict[SplitName, Split] = {}

    def split(self, name: SplitName) -> Split:
        """One split, loaded when it is first asked for."""
        if name not in self._splits:
            found = self.dataset.load(name)
            self._splits[name] = found if self.renumbering is None else self.renumbering.split(found)
        return self._splits[name]

    def replace_split(self, name: SplitName, split: Split) -> None:
        """Take batches of a split from another one, which has the same samples."""
        self._splits[name] = split

    def train_positions(self) -> NDArray[np.int64]:
        """The samples of the training split that take part, int64 and ascending."""
        return self.part.positions(self.split("train"), self.seed)

    def steps_per_epoch(self, world: int = 1) -> int:
        """Training batches in an epoch.

        Raises:
            InputError: these samples cannot be drawn as the run wants it.
        """
        positions = self.train_positions()
        problems = self.sampling.problems(self._known(positions), self.batch_size)
        if problems:
            raise InputError(*problems)
        return len(self._training_order(positions, 0, world))

    def train_loader(self, rank: int = 0, world: int = 1) -> Loader:
        """Batches to learn from: this process's share of each."""
        return Loader(self.split("train"), self._training_order(self.train_positions(), rank, world), self.workers)

    def evaluation_loader(self, name: SplitName, rank: int = 0, world: int = 1) -> Loader:
        """All samples of a split, in an order in which a few batches are of all classes."""
        split = self.split(name)
        positions = permutation(len(split), _EVALUATION_KEY)
        return Loader(split, Order(positions, self.batch_size, rank, world), self.workers)

    def _training_order(self, positions: NDArray[np.int64], rank: int, world: int) -> Order:
        known = self._known(positions)
        return Order(positions, self.batch_size, rank, world, sampling=self.sampling, seed=self.seed, known=known)

    def _known(self, positions: NDArray[np.int64]) -> Known:
        split = self.split("train")
        each = (split.labels_for_strata(), split.lengths())
        return Known(*(None if one is None else one.numpy()[positions] for one in each))
