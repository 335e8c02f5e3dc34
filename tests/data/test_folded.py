"""A data set dealt out anew: every sample is tested once, with its own picture, name and truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from cnnexp.data.base import SPLITS, DataSet, FileSplit, Split, SplitName, TensorSplit
from cnnexp.data.folded import Folded
from cnnexp.data.folds import fold_positions
from cnnexp.errors import InputError

SIZES = {"train": 23, "val": 9, "test": 12}
COUNT = sum(SIZES.values())
FOLDS = 4


def picture(number: int) -> Tensor:
    return torch.full((1, 2, 2), number, dtype=torch.uint8)


def label(number: int) -> int:
    return number % 3


class Decoding:
    """A sample of a file: by its number a picture, a label and so many boxes."""

    def __init__(self, begin: int) -> None:
        self.begin = begin

    def __call__(self, position: int) -> dict[str, Tensor]:
        number = self.begin + position
        boxes = torch.full((number % 4, 4), float(number))
        classes = torch.full((number % 4,), 1)
        return {"image": picture(number), "label": torch.tensor(label(number)), "boxes": boxes, "classes": classes}


class Numbered(DataSet):
    """Samples 0, 1, 2, ... over train, val and test; ``kind`` says how they are stored."""

    targets = ("label",)

    def __init__(self, kind: str, labelled: bool = True, names: bool = True) -> None:
        self.kind, self.labelled, self.named = kind, labelled, names
        self.prepared = 0
        self.loaded: list[SplitName] = []

    def prepare(self) -> None:
        self.prepared += 1

    def class_names(self) -> tuple[str, ...]:
        return ("a", "b", "c")

    def load(self, split: SplitName) -> Split:
        self.loaded.append(split)
        begin = sum(SIZES[name] for name in SPLITS[: SPLITS.index(split)])
        numbers = range(begin, begin + SIZES[split])
        labels = torch.tensor([label(one) for one in numbers])
        names = [f"{one}.png" for one in numbers] if self.named else None
        if self.kind == "files":
            return FileSplit(Decoding(begin), len(numbers), names=names, labels=labels if self.labelled else None)
        tensors = {"image": torch.stack([picture(one) for one in numbers])}
        if self.labelled:
            tensors["label"] = labels
        if self.kind == "ragged":
            signal = [torch.full((one % 5 + 1,), float(one)) for one in numbers]
            return TensorSplit(tensors, ragged={"signal": signal}, fills={"signal": -9.0}, names=names)
        if self.kind == "boxes":  # padded to the most that a sample of the split has
            most = {"train": 3, "val": 2, "test": 5}[split]
            tensors["boxes"] = torch.stack([torch.full((most, 4), float(one)) for one in numbers])
            tensors["classes"] = torch.stack([torch.arange(most) % 2 - one % 2 for one in numbers])
        transform = twice if self.kind == "transformed" else None
        return TensorSplit(tensors, names=names, transform=transform)


def twice(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**batch, "image": batch["image"] * 2}


KINDS = ("memory", "files", "ragged", "boxes", "transformed")


def folded(kind: str = "memory", fold: int = 0, folds: int = FOLDS, **changes: Any) -> dict[str, Split]:
    made = Folded(Numbered(kind, **changes), folds, fold)
    return {name: made.load(name) for name in SPLITS}


def numbers_of(split: Split, factor: int = 1) -> list[int]:
    return (split.batch(range(len(split)))["image"][:, 0, 0, 0] // factor).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_every_sample_is_tested_in_one_fold_and_is_in_one_split_of_each(kind: str) -> None:
    factor, tested = 2 if kind == "transformed" else 1, []
    for fold in range(FOLDS):
        parts = {name: numbers_of(split, factor) for name, split in folded(kind, fold).items()}
        assert sorted(number for numbers in parts.values() for number in numbers) == list(range(COUNT))
        tested += parts["test"]
    assert sorted(tested) == list(range(COUNT))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("labelled", [True, False])
def test_samples_are_dealt_out_by_their_labels_where_they_have_any(kind: str, labelled: bool) -> None:
    labels = np.array([label(one) for one in range(COUNT)]) if labelled else None
    expected = fold_positions(labels, COUNT, FOLDS, 2)
    factor = 2 if kind == "transformed" else 1
    for name, split in folded(kind, 2, labelled=labelled).items():
        assert numbers_of(split, factor) == expected[name].tolist()  # type: ignore[index]
        strata = split.labels_for_strata()
        assert (strata is None) == (not labelled)
        if strata is not None:
            assert strata.tolist() == [label(one) for one in expected[name]]  # type: ignore[index]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_keeps_its_name_and_truth_and_is_counted_in_its_part(kind: str) -> None:
    factor, parts = 2 if kind == "transformed" else 1, folded(kind, 1)
    for split in parts.values():
        places = [len(split) - 1, 0, len(split) // 2]
        batch = split.batch(torch.tensor(places))
        assert batch["index"].tolist() == places
        for row, place in enumerate(places):
            number = int(batch["image"][row, 0, 0, 0]) // factor
            assert split.names is not None and split.names[place] == f"{number}.png"
            assert int(batch["label"][row]) == label(number)
    assert all(split.names is None for split in folded(kind, names=False).values())


def test_samples_in_memory_stay_there() -> None:
    for kind, kept in (
        ("memory", TensorSplit),
        ("files", FileSplit),
        ("ragged", TensorSplit),
        ("transformed", FileSplit),
    ):
        assert {type(split) for split in folded(kind).values()} == {kept}, kind


def test_boxes_of_splits_with_different_numbers_are_filled_up() -> None:
    """Of three, two and five rows; what is filled up is of no class."""
    for fold in range(FOLDS):
        for split in folded("boxes", fold).values():
            batch = split.batch(range(len(split)))
            for boxes, classes, number in zip(
                batch["boxes"], batch["classes"], batch["image"][:, 0, 0, 0], strict=True
            ):
                most = 3 if number < 23 else 2 if number < 32 else 5
                assert boxes[:most].unique().tolist() == [float(number)] and not boxes[most:].any()
                assert classes[:most].tolist() == (torch.arange(most) % 2 - int(number) % 2).tolist()
                assert (classes[most:] == -1).all()


def test_boxes_of_files_are_filled_up() -> None:
    batch = folded("files")["test"].batch(range(8))
    for classes, number in zip(batch["classes"], batch["image"][:, 0, 0, 0], strict=True):
        assert int((classes == 1).sum()) == int(number) % 4 and set(classes.tolist()) <= {1, -1}


def test_samples_of_different_lengths_are_filled_up_as_before() -> None:
    batch = folded("ragged")["test"].batch(range(8))
    for signal, number in zip(batch["signal"], batch["image"][:, 0, 0, 0], strict=True):
        length = int(number) % 5 + 1
        assert (signal[:length] == float(number)).all() and (signal[length:] == -9.0).all()
    lengths = folded("ragged")["test"].lengths()
    assert lengths is not None and lengths[:8].tolist() == [int(one) % 5 + 1 for one in batch["image"][:, 0, 0, 0]]


# Python 3.12 warns of every fork of a process with threads, torch of more workers than cores
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_files_are_read_by_workers() -> None:
    split = folded("files")["val"]
    assert isinstance(split, FileSplit)
    order = [[2, 0], [1, 3]]
    loader = DataLoader(
        split, batch_sampler=order, num_workers=1, collate_fn=split.collate, multiprocessing_context="spawn"
    )
    for places, batch in zip(order, loader, strict=True):
        here = split.batch(places)
        assert all(torch.equal(batch[name], here[name]) for name in here)


def test_the_data_set_itself_is_asked_for_the_rest() -> None:
    inner = Numbered("memory")
    made = Folded(inner, FOLDS, 0)
    assert (inner.prepared, inner.loaded) == (0, [])
    made.prepare()
    assert inner.prepared == 1 and made.class_names() == ("a", "b", "c")
    for name in SPLITS:
        made.load(name)
    assert inner.loaded == list(SPLITS), "each once"


@pytest.mark.parametrize(
    ("folds", "fold", "line"),
    [
        (5, None, r"data\.split\.folds=5: which of them is the test\? add data\.split\.fold=0"),
        (5, 5, r"data\.split\.fold=5: must be from 0 to 4"),
        (COUNT + 1, 0, rf"data\.split\.folds={COUNT + 1}: must be from 2 to {COUNT}"),
    ],
)
def test_a_fold_that_is_not_there_is_refused(folds: int, fold: int | None, line: str) -> None:
    with pytest.raises(InputError, match=line):
        Folded(Numbered("memory"), folds, fold).load("test")


class Strangers(Numbered):
    """Whoever is tested was never trained on."""

    open_set = True


def test_classes_of_an_open_set_are_dealt_out_whole() -> None:
    """Three labels are too few for three splits; the ten groups of last digits are not."""
    with pytest.raises(InputError, match=r"data\.split\.folds=2: 3 identities"):
        Folded(Strangers("memory"), 2, 0).load("test")
    inner = Strangers("memory")
    inner.group = r"(\d)\.png"
    tested: list[str] = []
    for fold in range(2):
        splits = {name: Folded(inner, 2, fold).load(name) for name in SPLITS}
        people = {name: {one[-5] for one in split.names or ()} for name, split in splits.items()}
        assert not people["train"] & people["test"] and not people["val"] & people["test"]
        tested += splits["test"].names or ()
    assert len(tested) == len(set(tested)) == COUNT
