from __future__ import annotations

import numpy as np

from cnnexp.data.fixed_splits import divide, hold_out


def test_hold_out_is_stratified_disjoint_and_complete() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    kept, held = hold_out(labels, 100)
    assert np.bincount(labels[held]).tolist() == [60, 30, 10]
    assert sorted([*kept, *held]) == list(range(1000))


def test_a_larger_hold_out_contains_the_smaller() -> None:
    labels = np.arange(500) % 7
    assert set(hold_out(labels, 50)[1]) < set(hold_out(labels, 200)[1])


def test_hold_out_never_changes() -> None:
    """Recorded validation scores mean these samples; a change of the numbers is a change of every past record."""
    assert hold_out(np.arange(40) % 4, 8)[1].tolist() == [3, 4, 5, 6, 25, 26, 32, 39]


def test_divide_gives_every_class_its_shares() -> None:
    labels = np.repeat([5, 9], [50, 20])
    parts = divide(labels)
    assert {split: np.bincount(labels[p])[[5, 9]].tolist() for split, p in parts.items()} == {
        "train": [40, 16],
        "val": [5, 2],
        "test": [5, 2],
    }
    assert sorted(np.concatenate(list(parts.values()))) == list(range(70))


def test_divide_keeps_small_classes_in_training() -> None:
    parts = divide([0] * 1 + [1] * 2 + [2] * 3)
    assert [len(parts[split]) for split in ("train", "val", "test")] == [4, 1, 1]
    assert set(parts["train"]) >= {0, 1, 2}


def test_divide_of_nothing_is_nothing() -> None:
    assert all(len(part) == 0 for part in divide([]).values())
