"""A process's share of every batch, whatever the batches are drawn by."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.sampling.balanced import Balanced
from cnnexp.sampling.base import Known, Sampling
from cnnexp.sampling.order import Order
from cnnexp.sampling.per_class import PerClass
from cnnexp.sampling.shuffled import Shuffled

LABELS = np.random.default_rng(0).integers(0, 6, 70)
POSITIONS = np.arange(70) * 3 + 1
"""A part of a split takes part."""
SAMPLINGS: dict[str, Sampling] = {"shuffled": Shuffled(), "balanced": Balanced(), "per class": PerClass(samples=4)}


def order(name: str, epoch: int = 0, rank: int = 0, world: int = 1, size: int = 16) -> Order:
    made = Order(POSITIONS, size, rank, world, sampling=SAMPLINGS[name], seed=5, known=Known(LABELS))
    made.set_epoch(epoch)
    return made


@pytest.mark.parametrize("name", SAMPLINGS)
@pytest.mark.parametrize("world", [2, 4])
def test_processes_share_the_batches_of_one(name: str, world: int) -> None:
    whole = order(name, epoch=2).batches()
    shares = [order(name, 2, rank, world).batches() for rank in range(world)]
    assert len(whole) == len(order(name)) == 4
    assert [np.concatenate(parts).tolist() for parts in zip(*shares, strict=True)] == [one.tolist() for one in whole]
    assert {len(batch) for share in shares for batch in share} == {16 // world}


@pytest.mark.parametrize("name", SAMPLINGS)
def test_the_batches_hold_positions_that_take_part(name: str) -> None:
    places = SAMPLINGS[name].epoch(70, Known(LABELS), 16, 5, 3)
    assert [one.tolist() for one in order(name, 3).batches()] == POSITIONS[places].tolist()


@pytest.mark.parametrize("name", SAMPLINGS)
def test_no_sample_for_some_process_makes_no_batch(name: str) -> None:
    for rank in (0, 1):
        made = Order(np.arange(1), 8, rank, 2, sampling=SAMPLINGS[name], known=Known(np.zeros(1, np.int64)))
        assert len(made) == 0 and made.batches() == []


def test_an_evaluation_takes_every_sample_once_in_the_order_given() -> None:
    shares = [Order(POSITIONS, 16, rank, 2) for rank in (0, 1)]
    for rank, one in enumerate(shares):
        assert np.concatenate(one.batches()).tolist() == POSITIONS[rank::2].tolist()
        assert [len(batch) for batch in one.batches()] == [8, 8, 8, 8, 3] and len(one) == 5
