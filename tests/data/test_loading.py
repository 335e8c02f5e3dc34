"""Batches: every sample once, in an order that depends on (seed, epoch) alone, shared out over processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnexp.data.base import FileSplit, TensorSplit
from cnnexp.data.loading import Data, Loader
from cnnexp.data.part import Part
from cnnexp.errors import InputError
from cnnexp.fit.data_module import DataModule
from cnnexp.sampling.balanced import Balanced
from cnnexp.sampling.base import Sampling
from cnnexp.sampling.order import Order
from cnnexp.sampling.per_class import PerClass
from cnnexp.sampling.shuffled import Shuffled
from tests.tasks import tiny


def order(count: int = 50, batch_size: int = 8, seed: int | None = 0, epoch: int = 0, **place: int) -> Order:
    """Of training samples, shuffled; without a seed of an evaluation."""
    sampling = None if seed is None else Shuffled()
    made = Order(np.arange(count), batch_size, sampling=sampling, seed=seed or 0, **place)
    made.set_epoch(epoch)
    return made


def listed(batches: list[np.ndarray]) -> list[list[int]]:
    return [batch.tolist() for batch in batches]


# --- training ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "batch_size"), [(48, 8), (50, 8), (8, 8), (9, 4)])
def test_an_epoch_has_every_sample_once_but_those_of_an_incomplete_batch(count: int, batch_size: int) -> None:
    made = order(count, batch_size)
    batches = made.batches()
    seen = np.concatenate(batches)
    assert {len(batch) for batch in batches} == {batch_size}
    assert len(batches) == len(made) == count // batch_size
    assert len(set(seen.tolist())) == len(seen) == count // batch_size * batch_size
    assert set(seen.tolist()) <= set(range(count))


def test_samples_that_were_left_out_come_in_other_epochs() -> None:
    seen = {int(i) for epoch in range(6) for batch in order(11, 4, epoch=epoch).batches() for i in batch}
    assert seen == set(range(11))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    base = listed(order(seed=3, epoch=5).batches())
    assert listed(order(seed=3, epoch=5).batches()) == base
    assert listed(order(seed=3, epoch=6).batches()) != base
    assert listed(order(seed=4, epoch=5).batches()) != base
    assert base != [list(range(start, start + 8)) for start in range(0, 48, 8)]


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("count", [64, 50])
def test_processes_share_the_batches_of_one(world: int, count: int) -> None:
    whole = listed(order(count, epoch=2).batches())
    shares = [listed(order(count, epoch=2, rank=rank, world=world).batches()) for rank in range(world)]
    assert {len(share) for share in shares} == {len(whole)}
    assert [[*chain(*together)] for together in zip(*shares, strict=True)] == whole
    assert {len(batch) for share in shares for batch in share} == {8 // world}


@pytest.mark.parametrize(("count", "world", "size"), [(5, 1, 5), (5, 2, 4), (1, 1, 1), (1, 2, 0)])
def test_fewer_samples_than_a_batch_make_one_smaller_batch(count: int, world: int, size: int) -> None:
    shares = [order(count, 8, rank=rank, world=world) for rank in range(world)]
    assert sum(len(batch) for share in shares for batch in share.batches()) == size
    assert [len(share) for share in shares] == [int(size > 0)] * world


def test_only_the_samples_that_take_part_are_in_the_batches() -> None:
    made = Order(np.array([3, 10, 21, 40]), 2, sampling=Shuffled())
    assert sorted(np.concatenate(made.batches()).tolist()) == [3, 10, 21, 40]


# --- evaluation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 7, 16, 17, 33])
@pytest.mark.parametrize("world", [1, 2, 4])
def test_an_evaluation_takes_every_sample_once(count: int, world: int) -> None:
    shares = [order(count, 8, seed=None, rank=rank, world=world) for rank in range(world)]
    batches = [batch for share in shares for batch in share.batches()]
    assert sorted(int(i) for batch in batches for i in batch) == list(range(count))
    assert all(0 < len(batch) <= 8 // world for batch in batches)
    assert [len(share) for share in shares] == [len(share.batches()) for share in shares]
    lengths = [sum(map(len, share.batches())) for share in shares]
    assert max(lengths) - min(lengths) <= 1


def test_an_evaluation_is_the_same_for_every_seed_and_epoch_and_mixed() -> None:
    def positions(seed: int, epoch: int) -> list[int]:
        loader = tiny.picture_data(test=30, seed=seed).evaluation_loader("test")
        loader.sampler.set_epoch(epoch)
        return [int(i) for batch in loader for i in batch["index"]]

    assert positions(0, 0) == positions(1, 4)
    assert positions(0, 0) != sorted(positions(0, 0)), "a few batches should hold all classes"


# --- the loader -------------------------------------------------------------------------------------------------------


def loader(epoch: int = 0) -> Loader:
    made = Loader(TensorSplit(tiny.samples(50)), order(50, 8))
    made.sampler.set_epoch(epoch)
    return made


def indices(batches: Iterator[dict[str, Tensor]] | Loader) -> list[list[int]]:
    return [batch["index"].tolist() for batch in batches]


def test_a_batch_holds_the_samples_that_the_order_says() -> None:
    made, samples = loader(3), tiny.samples(50)
    assert indices(made) == listed(order(epoch=3).batches())
    for batch in made:
        assert torch.equal(batch["image"], samples["image"][batch["index"]])
        assert torch.equal(batch["label"], samples["label"][batch["index"]])


@pytest.mark.parametrize("given", [0, 1, 4, 6])
def test_a_loader_goes_on_after_the_batches_that_were_given(given: int) -> None:
    first, whole = loader(2), indices(loader(2))
    batches = iter(first)
    assert [next(batches)["index"].tolist() for _ in range(given)] == whole[:given]
    state = first.state_dict()
    second = loader(2)
    second.load_state_dict(state)
    assert indices(second) == whole[given:]
    assert second.state_dict() == {"epoch": 2, "batches": 6}


def test_the_position_counts_in_its_own_epoch_and_once() -> None:
    first = loader(2)
    next(iter(first))
    other = loader(3)
    other.load_state_dict(first.state_dict())
    assert indices(other) == indices(loader(3))
    same = loader(2)
    same.load_state_dict(first.state_dict())
    assert len(indices(same)) == 5
    assert indices(same) == indices(loader(2)), "the next time it begins at the beginning"


def test_a_position_in_mid_epoch_is_counted_from_its_beginning() -> None:
    resumed = loader(2)
    resumed.load_state_dict({"epoch": 2, "batches": 3})
    next(iter(resumed))
    assert resumed.state_dict() == {"epoch": 2, "batches": 4}


@dataclass(frozen=True)
class Decoding:
    """Sample i: a picture of the value i, and i % 3 boxes. One of them may be broken."""

    broken: int = -1

    def __call__(self, position: int) -> dict[str, Tensor]:
        if position == self.broken:
            raise InputError(f"folder/{position}.png: not a picture; delete it")
        boxes = torch.full((position % 3, 4), float(position))
        image = torch.full((1, 2, 2), position, dtype=torch.uint8)
        return {"image": image, "boxes": boxes, "classes": torch.zeros(position % 3, dtype=torch.int64)}


# Python 3.12 warns of every fork of a process with threads, torch of more workers than cores
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_workers_make_the_same_batches() -> None:
    here, there = (Loader(FileSplit(Decoding(), 50), order(epoch=1), workers) for workers in (0, 2))
    there.load_state_dict({"epoch": 1, "batches": 2})
    random_state = torch.get_rng_state()
    expected, found = list(here)[2:], list(there)
    assert len(found) == 4
    for one, other in zip(expected, found, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), random_state), "workers must not use the run's random numbers"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_file_is_named_in_one_line(workers: int) -> None:
    broken = Loader(FileSplit(Decoding(broken=7), 50), order(), workers)
    with pytest.raises(InputError) as caught:
        list(broken)
    assert caught.value.lines == ("folder/7.png: not a picture; delete it",)


# --- fractions --------------------------------------------------------------------------------------------------------


def with_labels(counts: list[int], fraction: float, seed: int = 0, **changes: Any) -> Data:
    """Training samples of which so many have each label, shuffled."""
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]
    split = TensorSplit({"image": torch.zeros(len(labels), 1, 8, 8, dtype=torch.uint8), "label": labels})
    given: dict[str, Any] = {"part": Part(fraction), **changes}
    return tiny.picture_data(dataset=tiny.Given(train=split), seed=seed, **given)


def test_a_fraction_holds_every_class_in_its_share() -> None:
    data = with_labels([200, 100, 50], 0.2)
    labels = data.split("train").batch(torch.from_numpy(data.train_positions()))["label"]
    assert labels.bincount().tolist() == [40, 20, 10]


@pytest.mark.parametrize("labelled", [True, False])
def test_a_fraction_is_fixed_and_holds_the_smaller_ones(labelled: bool) -> None:
    def positions(fraction: float, seed: int = 0) -> list[int]:
        data = with_labels([90, 60, 50], fraction, seed)
        if not labelled:
            split = data.split("train")
            assert isinstance(split, TensorSplit)
            del split.tensors["label"]
        return data.train_positions().tolist()

    assert positions(0.3) == positions(0.3, seed=8) == sorted(positions(0.3))
    assert [len(positions(fraction)) for fraction in (0.1, 0.3, 1.0)] == [20, 60, 200]
    assert set(positions(0.1)) < set(positions(0.3)) < set(positions(1.0))
    assert positions(0.3) != list(range(60))


def few(per_class: int, seed: int = 0, fraction: float = 1.0) -> tuple[list[int], list[int]]:
    """Positions, and how many of them have each label."""
    data = with_labels([90, 60, 50], fraction, seed, part=Part(fraction, per_class))
    positions = data.train_positions()
    labels = data.split("train").batch(torch.from_numpy(positions))["label"]
    return positions.tolist(), labels.bincount(minlength=3).tolist()


def test_few_of_each_class_are_others_for_each_seed_and_more_hold_the_fewer() -> None:
    ten, counts = few(10)
    assert counts == [10] * 3
    assert ten == sorted(ten) == few(10)[0]
    assert set(few(3)[0]) < set(ten) != set(few(10, seed=1)[0])


def test_few_of_each_class_are_refused_where_they_cannot_be_had() -> None:
    with pytest.raises(InputError, match="class 2 has 50 training samples; take at most 50"):
        few(51)
    with pytest.raises(InputError, match="leave one out"):
        few(5, fraction=0.5)


def test_a_tiny_fraction_still_has_a_sample() -> None:
    data = with_labels([5, 5], 0.001)
    assert len(data.train_positions()) == data.steps_per_epoch() == 1
    assert data.steps_per_epoch(world=2) == 0


# --- the sampling -----------------------------------------------------------------------------------------------------


def test_samples_are_drawn_by_their_labels_where_the_sampling_asks_for_them() -> None:
    data = with_labels([60, 20], 0.5, sampling=Balanced())
    assert data.steps_per_epoch() == 5
    labels = torch.cat([batch["label"] for batch in data.train_loader()])
    assert labels.bincount().tolist() == [20, 20], "of 30 and 10 that take part"


@pytest.mark.parametrize(("name", "sampling"), [("balanced", Balanced()), ("per_class", PerClass(samples=4))])
def test_samples_that_cannot_be_drawn_so_are_refused(name: str, sampling: Sampling) -> None:
    data = with_labels([60, 20], 1.0, sampling=sampling)
    split = data.split("train")
    assert isinstance(split, TensorSplit)
    del split.tensors["label"]
    with pytest.raises(InputError, match=f"sampling={name}: the samples of this data have no single class each"):
        data.steps_per_epoch()


# --- the module -------------------------------------------------------------------------------------------------------


def test_the_loaders_know_their_process() -> None:
    data = DataModule(tiny.picture_data(train=48, val=9))
    alone = [indices(data.train_dataloader()), indices(data.val_dataloader())]
    shares = []
    for rank in (0, 1):
        data.trainer = SimpleNamespace(global_rank=rank, world_size=2)  # type: ignore[assignment]
        shares.append([indices(data.train_dataloader()), indices(data.val_dataloader())])
    assert [one + other for one, other in zip(shares[0][0], shares[1][0], strict=True)] == alone[0]
    assert sorted(chain(*shares[0][1], *shares[1][1])) == list(range(9)) == sorted(chain(*alone[1]))


def test_a_split_is_loaded_once_and_only_when_it_is_asked_for() -> None:
    asked: list[str] = []

    class Counting(tiny.Given):
        def load(self, split: Any) -> Any:
            asked.append(split)
            return super().load(split)

    data = tiny.picture_data(dataset=Counting(train=TensorSplit(tiny.samples(16))))
    data.train_loader()
    data.steps_per_epoch()
    assert asked == ["train"]


def test_a_fit_sees_other_batches_in_every_epoch_and_goes_on_in_the_middle_of_one(tmp_path: Path) -> None:
    from pytorch_lightning.callbacks import Checkpoint

    from cnnexp.tasks.classification import Classification

    class Seeing(Checkpoint):
        def __init__(self, save_at: int | None = None) -> None:
            self.seen: list[list[int]] = []
            self.save_at = save_at

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            self.seen.append(batch["index"].tolist())
            if len(self.seen) == self.save_at:
                trainer.save_checkpoint(tmp_path / "last.ckpt")

    whole, resumed = Seeing(save_at=4), Seeing()
    data = DataModule(tiny.picture_data(train=24))
    tiny.trainer([whole], epochs=3).fit(tiny.module(Classification, tiny.linear_net()), datamodule=data)
    assert [sorted(chain(*whole.seen[start : start + 3])) for start in (0, 3, 6)] == [list(range(24))] * 3
    assert whole.seen[:3] != whole.seen[3:6] != whole.seen[6:]
    tiny.trainer([resumed], epochs=3).fit(
        tiny.module(Classification, tiny.linear_net()),
        datamodule=DataModule(tiny.picture_data(train=24)),
        ckpt_path=tmp_path / "last.ckpt",
        weights_only=True,
    )
    assert resumed.seen == whole.seen[4:]
