"""Batches of P classes with K samples each."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnnexp.sampling.base import Known
from cnnexp.sampling.order import Order
from cnnexp.sampling.per_class import PerClass

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(10) * 3, [20, 5, 9, 3, 13, 30, 4, 8, 2, 6]))
"""Ten classes, of which one has two samples."""


def drawn(samples: int, size: int, seed: int = 0, epoch: int = 0, labels: np.ndarray = LABELS) -> np.ndarray:
    return PerClass(samples=samples).epoch(len(labels), Known(labels), size, seed, epoch)


@pytest.mark.parametrize(("samples", "size"), [(2, 20), (4, 8), (4, 24), (5, 50), (2, 6), (20, 20)])
@pytest.mark.parametrize("epoch", [0, 4])
def test_every_batch_has_so_many_samples_of_so_many_classes(samples: int, size: int, epoch: int) -> None:
    batches = drawn(samples, size, epoch=epoch)
    assert batches.shape == (100 // size, size)
    for batch in batches:
        _, counts = np.unique(LABELS[batch], return_counts=True)
        assert counts.tolist() == [samples] * (size // samples)


def test_classes_come_one_permutation_after_another() -> None:
    """Batches of two of ten classes: after five batches every class has come once, after ten twice."""
    classes = LABELS[drawn(4, 8)].reshape(-1, 2, 4)[:, :, 0]
    assert len(classes) == 12
    for start in (0, 5):
        assert sorted(classes[start : start + 5].reshape(-1).tolist()) == sorted(np.unique(LABELS).tolist())


def test_of_many_classes_a_few_come_in_an_epoch() -> None:
    """Three batches of two classes: four of the ten have no place."""
    labels = np.repeat(np.arange(10), 3)
    batches = drawn(4, 8, labels=labels)
    assert batches.shape == (3, 8) and len(np.unique(labels[batches])) == 6
    seen = {int(label) for epoch in range(20) for label in labels[drawn(4, 8, epoch=epoch, labels=labels)].reshape(-1)}
    assert seen == set(range(10))


def test_a_sample_comes_again_when_all_of_its_class_have_come() -> None:
    times = np.bincount(drawn(5, 25).reshape(-1), minlength=100)
    for label in np.unique(LABELS):
        of_class = times[label == LABELS]
        assert of_class.max() - of_class.min() <= 1
    assert times[LABELS == 8 * 3].min() >= 2, "two samples fill five places at a time"


def test_the_batches_depend_on_seed_and_epoch_alone() -> None:
    first = drawn(4, 8, 3, 5).tolist()
    assert drawn(4, 8, 3, 5).tolist() == first
    assert drawn(4, 8, 4, 5).tolist() != first and drawn(4, 8, 3, 6).tolist() != first


def test_the_first_numbers_are_written_down() -> None:
    """Runs that go on from a checkpoint have these batches."""
    assert drawn(2, 4, 3, 2, labels=np.arange(12) % 4).tolist() == [[3, 7, 8, 0], [10, 2, 9, 5], [11, 7, 4, 0]]


def test_processes_have_whole_classes() -> None:
    shares = []
    for rank in (0, 1):
        order = Order(np.arange(100), 24, rank, 2, sampling=PerClass(samples=4), seed=1, known=Known(LABELS))
        order.set_epoch(2)
        shares.append(order.batches())
        for batch in shares[-1]:
            assert np.unique(LABELS[batch], return_counts=True)[1].tolist() == [4, 4, 4]
    whole = drawn(4, 24, 1, 2)
    assert [np.concatenate(pair).tolist() for pair in zip(*shares, strict=True)] == whole.tolist()


@pytest.mark.parametrize(
    ("samples", "size", "labels", "line"),
    [
        (4, 8, None, "sampling=per_class: the samples of this data have no single class each"),
        (3, 8, LABELS, "sampling.samples=3: a batch of batch_size=8 is not made of whole classes"),
        (1, 8, LABELS, "sampling.samples=1: .*take at least 2"),
        (2, 24, LABELS, "batch_size=24: 12 classes of 2 samples, and the data has 10 classes"),
        (4, 8, LABELS[:7], "batch_size=8: there are 7 samples to train with"),
        (0, 8, LABELS, "sampling.samples=0: .*take at least 2"),
    ],
)
def test_what_makes_no_batch_is_refused(samples: int, size: int, labels: np.ndarray | None, line: str) -> None:
    (found,) = PerClass(samples=samples).problems(Known(labels), size)
    assert re.match(line, found), found


@pytest.mark.parametrize(("samples", "size"), [(2, 20), (4, 24), (2, 2), (20, 100)])
def test_what_makes_batches_is_not(samples: int, size: int) -> None:
    assert PerClass(samples=samples).problems(Known(LABELS), size) == []
