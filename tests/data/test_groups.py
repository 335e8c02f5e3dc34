"""Groups: whose a sample is, and parts that share none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.data.apart import Apart
from cnnexp.data.base import SPLITS, DataSet
from cnnexp.data.fixed_splits import divide, hold_out
from cnnexp.data.folds import fold_positions
from cnnexp.data.groups import deal_groups, groups_of, refuse_shared
from cnnexp.data.image_folder import ImageFolder
from cnnexp.errors import InputError

NAMES = ["cat/p01_3.png", "cat/p02_1.png", "dog/night/p01_9.png"]


@pytest.mark.parametrize(
    ("word", "groups"),
    [
        (r"p(\d+)", ["01", "02", "01"]),
        (r"p\d+", ["p01", "p02", "p01"]),
        ("folder", ["cat", "cat", "dog/night"]),
        ("owner", ["x", "y", "y"]),
    ],
)
def test_a_group_is_a_part_of_the_name_its_folder_or_a_column(word: str, groups: list[str]) -> None:
    assert groups_of(word, NAMES, {"owner": ["x", "y", "y"]}) == groups


@pytest.mark.parametrize(
    ("word", "names", "says"),
    [
        ("p(0)(1)", NAMES, "puts 2 parts in brackets"),
        ("p(", NAMES, "not a regular expression"),
        ("n(ight)", NAMES, "2 of 3 names do not match, such as cat/p01_3.png; columns of this data set are owner"),
        ("film", None, "have no names that could tell groups; its columns are owner"),
    ],
)
def test_words_that_give_no_groups_are_refused(word: str, names: list[str] | None, says: str) -> None:
    with pytest.raises(InputError, match=says.replace("(", r"\(")):
        groups_of(word, names, {"owner": ["x", "y", "y"]})


def made(seed: int, count: int = 40) -> tuple[np.ndarray, list[str]]:
    """Labels of three classes and groups of 3 to 12 samples, each mostly of one class."""
    generator = np.random.default_rng(seed)
    labels, groups = [], []
    for number in range(count):
        size = int(generator.integers(3, 13))
        labels += np.where(generator.random(size) < 0.7, number % 3, generator.integers(0, 3, size)).tolist()
        groups += [f"p{number:02}"] * size
    return np.array(labels), groups


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_in_two_splits_and_shares_and_classes_are_kept(seed: int) -> None:
    labels, groups = made(seed)
    parts = divide(labels, groups)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(labels)))
    inside = [{groups[place] for place in parts[split]} for split in SPLITS]
    assert not (inside[0] & inside[1] or inside[0] & inside[2] or inside[1] & inside[2])
    for split, share in zip(SPLITS, (0.8, 0.1, 0.1), strict=True):
        assert abs(len(parts[split]) / len(labels) - share) < 0.03
        of_class = np.bincount(labels[parts[split]], minlength=3) / np.bincount(labels)
        assert np.abs(of_class - share).max() < 0.1


def test_the_order_of_the_samples_is_of_no_account() -> None:
    labels, groups = made(0)
    order = np.random.default_rng(1).permutation(len(labels))
    part = deal_groups(labels, groups, [0.8, 0.1, 0.1])
    assert (deal_groups(labels[order], [groups[place] for place in order], [0.8, 0.1, 0.1]) == part[order]).all()


def test_groups_never_move() -> None:
    """Recorded scores mean these samples; a change of the numbers is a change of every past record."""
    groups = [f"p{number // 2}" for number in range(20)]
    assert divide([0, 1] * 10, groups)["test"].tolist() == DIVIDED
    assert fold_positions([0, 1] * 10, 20, 5, 2, groups)["test"].tolist() == FOLDED


DIVIDED = [8, 9]
FOLDED = [4, 5, 10, 11]


def test_large_groups_go_where_they_fit_by_hand() -> None:
    """Five groups of 4 for 80 / 10 / 10: three for training, as validation and test need one each."""
    parts = divide([0] * 20, [f"g{number // 4}" for number in range(20)])
    assert [len(parts[split]) for split in SPLITS] == [12, 4, 4]


@pytest.mark.parametrize("folds", [2, 5])
def test_each_group_is_tested_once_and_held_out_whole(folds: int) -> None:
    labels, groups = made(3)
    tested: list[str] = []
    for fold in range(folds):
        parts = fold_positions(labels, len(labels), folds, fold, groups)
        inside = [{groups[place] for place in parts[split]} for split in SPLITS]
        assert sum(len(one) for one in inside) == 40
        tested += inside[2]
        assert 0.05 < len(parts["val"]) / len(labels) < 0.15
    assert sorted(tested) == sorted(set(groups))


def test_hold_out_of_groups() -> None:
    kept, held = hold_out([0, 1] * 50, 10, [f"g{number // 5}" for number in range(100)])
    assert len(held) == 10 and len({place // 5 for place in held.tolist()}) == 2
    assert sorted([*kept, *held]) == list(range(100))


def test_too_few_groups_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"2 groups \(a, b\) for 3 parts"):
        divide([0, 1, 0, 1], ["a", "a", "b", "b"])


def test_a_class_in_one_group_alone_is_refused() -> None:
    """As with folder in place of a patient, where the folders are the classes."""
    with pytest.raises(InputError, match=r"class 1 \(counted from 0\) is in one group only, b"):
        divide([0, 0, 0, 1, 1], ["a", "c", "d", "b", "b"])


def test_groups_in_two_splits_are_named() -> None:
    refuse_shared({"train": ["a", "b"], "test": ["c"]}, "owner")
    with pytest.raises(
        InputError, match=r"group=owner: 1 of 2 groups stand in two splits, such as a in train and in val"
    ):
        refuse_shared({"train": ["a", "b"], "val": ["a"]}, "owner")


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., DataSet]:
    """An image_folder: per class six patients with four pictures each, in split folders where they are named."""

    def make(*splits: str) -> DataSet:
        for split in splits or (".",):
            for kind in ("cat", "dog"):
                (tmp_path / split / kind).mkdir(parents=True)
                for number in range(24):
                    path = tmp_path / split / kind / f"p{number // 4}_{number}.png"
                    Image.new("L", (4, 4), number).save(path)
        return ImageFolder(root=str(tmp_path), classes=None, image_size=(4, 4), channels=1, in_memory=True)

    return make


def test_a_folder_is_divided_by_patients(folder: Callable[..., DataSet]) -> None:
    dataset = folder()
    dataset.group = r"p(\d+)_"
    held = Apart(dataset)
    held.prepare()
    patients = {split: {name.split("/p")[1][0] for name in held.load(split).names or ()} for split in SPLITS}
    assert sorted(name for split in SPLITS for name in patients[split]) == list("012345")
    assert [len(held.load(split)) for split in SPLITS] == [32, 8, 8]


def test_split_folders_that_share_patients_are_refused(folder: Callable[..., DataSet]) -> None:
    dataset = folder("train", "val", "test")
    dataset.group = r"p(\d+)_"
    with pytest.raises(InputError, match="6 of 6 groups stand in two splits, such as 0 in train and"):
        Apart(dataset).prepare()


def test_validation_that_is_the_test_too_is_no_group_in_two_splits(folder: Callable[..., DataSet]) -> None:
    dataset = folder("train", "val")
    dataset.group = r"((?:train|val)/\w+/p\d+)_"
    assert dataset.distinct() == ("train", "val")
    Apart(dataset).prepare()
