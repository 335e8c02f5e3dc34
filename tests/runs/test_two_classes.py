"""Samples of the same contents and other classes are named, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from cnnexp.runs.data_record import DataRecord, SplitRecord
from cnnexp.runs.two_classes import in_two_classes, two_classes_line


def record(train: list[tuple[str, Any, str]], test: list[tuple[str, Any, str]]) -> DataRecord:
    splits = {}
    for split, rows in (("train", train), ("val", []), ("test", test)):
        names, truths, digests = ([row[place] for row in rows] for place in range(3))
        splits[split] = SplitRecord.of(len(rows), names, None, truths, digests)
    return DataRecord.of(splits, ("cat", "dog"))


def test_they_are_found_across_splits_and_named_once() -> None:
    made = record([("cat/1", 0, "x"), ("cat/2", 0, "y"), ("dog/2", 1, "y"), ("dog/3", 1, "y")], [("dog/1", 1, "x")])
    assert in_two_classes(made) == [("cat/1", "dog/1"), ("cat/2", "dog/2")]
    assert two_classes_line(made, "picture") == (
        "2 pictures stand in two classes, the same to the bit: cat/1 and dog/1, cat/2 and dog/2; remove the wrong one"
    )


@pytest.mark.parametrize("truth", [0, None, "a hash"])
def test_copies_within_a_class_and_samples_without_one_are_no_contradiction(truth: Any) -> None:
    assert two_classes_line(record([("1", truth, "x"), ("2", truth, "x")], [("3", 1, "y")]), "picture") is None


def test_where_contents_were_not_looked_at_nothing_is_known() -> None:
    splits = {split: SplitRecord.of(1, [split], [5], [place]) for place, split in enumerate(("train", "val", "test"))}
    assert in_two_classes(DataRecord.of(splits, ("a", "b", "c"))) == []
