from __future__ import annotations

import numpy as np
import pytest

from cnnexp.data.base import SPLITS
from cnnexp.data.folds import fold_positions
from cnnexp.errors import InputError

# Shuffled classes of 292, 177, 19, 10 and 2 samples; the last has fewer than there are folds.
UNEVEN = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3, 4], [292, 177, 19, 10, 2]))
LABELS = {"uneven": UNEVEN, "none": None, "gaps": np.arange(47) % 3 * 7, "one each": np.arange(12)}


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())
def test_every_sample_is_tested_once_and_is_in_one_split_of_each_fold(labels: np.ndarray | None, folds: int) -> None:
    count = 53 if labels is None else len(labels)
    tested = [0] * count
    for fold in range(folds):
        parts = fold_positions(labels, count, folds, fold)
        seen = [position for split in SPLITS for position in parts[split].tolist()]
        assert sorted(seen) == list(range(count))
        assert all(parts[split].tolist() == sorted(parts[split].tolist()) for split in SPLITS)
        assert len(parts["val"]) == round(count / 10)
        for position in parts["test"].tolist():
            tested[position] += 1
    assert tested == [1] * count


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())
def test_folds_and_their_classes_differ_by_one_sample_at_most(labels: np.ndarray | None, folds: int) -> None:
    """Counted one by one: no fold may have two samples of a class more than another."""
    count = 53 if labels is None else len(labels)
    tests = [fold_positions(labels, count, folds, fold)["test"].tolist() for fold in range(folds)]
    sizes = [len(test) for test in tests]
    assert max(sizes) - min(sizes) <= 1
    for value in [] if labels is None else sorted(set(labels.tolist())):
        counts = [sum(int(labels[position] == value) for position in test) for test in tests]
        assert max(counts) - min(counts) <= 1


def test_validation_has_the_classes_in_their_proportions() -> None:
    labels = np.repeat([0, 1], [800, 200])
    for fold in range(5):
        assert np.bincount(labels[fold_positions(labels, 1000, 5, fold)["val"]]).tolist() == [80, 20]


def test_a_class_keeps_its_last_samples_for_training() -> None:
    """Two samples of a class: one at most is tested at a time, the other is trained with."""
    for fold in range(5):
        parts = fold_positions(UNEVEN, len(UNEVEN), 5, fold)
        assert 4 in UNEVEN[parts["train"]]


def test_folds_never_change() -> None:
    """Recorded scores of a fold mean these samples; a change of the numbers is a change of every past record."""
    parts = fold_positions(np.arange(20) % 2, 20, 4, 1)
    assert parts["test"].tolist() == [0, 6, 9, 10, 17]
    assert parts["val"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("count", "folds", "fold", "says"),
    [
        (100, 1, 0, "data.split.folds=1: must be from 2 to 100"),
        (4, 5, 0, "data.split.folds=5: must be from 2 to 4"),
        (100, 5, 5, "data.split.fold=5: must be from 0 to 4"),
        (100, 5, -1, "data.split.fold=-1: must be from 0 to 4"),
        (0, 2, 0, "must be from 2 to 0"),
        (3, 2, 0, "of 3 samples none would be left to train with"),
    ],
)
def test_folds_that_do_not_exist_are_refused(count: int, folds: int, fold: int, says: str) -> None:
    with pytest.raises(InputError, match=says):
        fold_positions(None, count, folds, fold)
