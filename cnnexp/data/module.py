"""Splits → batches in an order that is a function of (seed, epoch), shared out over the processes of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from cnnexp.data.base import DataSet, Facts, FileSplit, Split, SplitName, collate
from cnnexp.data.fixed_splits import hold_out
from cnnexp.draws import permutation
from cnnexp.errors import InputError

_ORDER_KEY = 0x0D3
_FRACTION_KEY = 0xF4A
_EVALUATION_KEY = 0xE7A


class Order:
    """Which samples each batch holds, for one process of a run.

    A training epoch is a permutation drawn from (seed, epoch), cut into global batches; each process takes its equal
    share of every one. An incomplete last batch is left out: its samples come in other epochs, and every batch weighs
    the same. Lightning sets the epoch through ``set_epoch``.

    Args:
        positions: int64 (N,), the samples that take part.
        batch_size: global; a multiple of ``world``.
        seed: of the run; None for an evaluation, which takes every sample once, in the order given.
    """

    def __init__(self, positions: np.ndarray, batch_size: int, seed: int | None, rank: int, world: int) -> None:
        self.positions = positions
        self.batch_size = min(batch_size, len(positions) // world * world) if seed is not None else batch_size
        self.seed = seed
        self.rank = rank
        self.world = world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The epoch whose batches come next, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        if self.seed is not None:
            return len(self.positions) // self.batch_size if self.batch_size else 0
        share = len(self.positions[self.rank :: self.world])
        return -(-share // (self.batch_size // self.world))

    def batches(self) -> list[np.ndarray]:
        """The positions of every batch of this process in this epoch."""
        if self.seed is None:
            share = self.positions[self.rank :: self.world]
            size = self.batch_size // self.world
            return [share[start : start + size] for start in range(0, len(share), size)]
        order = self.positions[permutation(len(self.positions), _ORDER_KEY, self.seed, self.epoch)]
        size = self.batch_size // self.world
        whole = order[: len(self) * self.batch_size].reshape(len(self), self.world, size)
        return list(whole[:, self.rank])


class Loader:
    """Batches of a split in the order given; it can go on from the middle of an epoch.

    Pictures in memory are indexed. Pictures on disk are decoded by ``workers`` processes, or here when there are none.
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

    def _batches(self, positions: Sequence[np.ndarray]) -> Iterator[dict[str, Tensor]]:
        if not (self.workers and isinstance(self.split, FileSplit)):
            yield from (self.split.batch(torch.from_numpy(one)) for one in positions)
            return
        loader: DataLoader[dict[str, Tensor]] = DataLoader(
            self.split,
            batch_sampler=[one.tolist() for one in positions],
            num_workers=self.workers,
            collate_fn=collate,
            generator=torch.Generator(),  # its own: the run's random numbers do not depend on the workers
            multiprocessing_context="spawn" if torch.cuda.is_available() else None,
        )
        try:
            yield from loader
        except InputError as error:  # a worker hands its error on with the traceback in front
            raise InputError(error.lines[-1].split("InputError: ")[-1].strip()) from None

    def state_dict(self) -> dict[str, int]:
        """Where the epoch is: the number of batches handed out."""
        return {"epoch": self.sampler.epoch, "batches": self._given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there."""
        self._start = (int(state["epoch"]), int(state["batches"]))


class PictureData(pl.LightningDataModule):
    """The three splits of a data set as loaders.

    Args:
        dataset: gives the splits. facts: of the data set.
        batch_size: global, divided over the processes.
        fraction: part of the training split that takes part, in (0, 1]; the same part for every seed, stratified
            where samples have labels, and a larger part holds the smaller ones.
        workers: loader processes for pictures that stay on disk.
        seed: of the run; decides the order of training samples.
    """

    def __init__(
        self, *, dataset: DataSet, facts: Facts, batch_size: int, fraction: float, workers: int, seed: int
    ) -> None:
        super().__init__()
        self.allow_zero_length_dataloader_with_multiple_devices = True
        self.dataset = dataset
        self.facts = facts
        self.batch_size = batch_size
        self.fraction = fraction
        self.workers = workers
        self.seed = seed
        self._splits: dict[SplitName, Split] = {}

    def split(self, name: SplitName) -> Split:
        """One split, loaded when it is first asked for."""
        if name not in self._splits:
            self._splits[name] = self.dataset.load(name)
        return self._splits[name]

    def replace_split(self, name: SplitName, split: Split) -> None:
        """Take batches of a split from another one, which has the same samples."""
        self._splits[name] = split

    def train_positions(self) -> np.ndarray:
        """The samples of the training split that take part, int64 and ascending."""
        split = self.split("train")
        if self.fraction >= 1.0:
            return np.arange(len(split))
        count = max(1, round(self.fraction * len(split)))
        labels = split.labels_for_strata()
        if labels is None:
            return np.sort(permutation(len(split), _FRACTION_KEY)[:count])
        return hold_out(labels.numpy(), count)[1]

    def steps_per_epoch(self, world: int = 1) -> int:
        """Training batches in an epoch."""
        return len(Order(self.train_positions(), self.batch_size, self.seed, 0, world))

    def train_dataloader(self) -> Loader:
        rank, world = self._place()
        return Loader(
            self.split("train"), Order(self.train_positions(), self.batch_size, self.seed, rank, world), self.workers
        )

    def val_dataloader(self) -> Loader:
        return self._evaluation("val")

    def test_dataloader(self) -> Loader:
        return self._evaluation("test")

    def _evaluation(self, name: SplitName) -> Loader:
        split = self.split(name)
        rank, world = self._place()
        positions = permutation(len(split), _EVALUATION_KEY)  # so that a few batches are of all classes
        return Loader(split, Order(positions, self.batch_size, None, rank, world), self.workers)

    def _place(self) -> tuple[int, int]:
        trainer: Any = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer is not None else (0, 1)
