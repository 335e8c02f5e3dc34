from __future__ import annotations

from pathlib import Path

import pytest

from cnnexp.data.folders import complete_splits, split_list, split_of
from cnnexp.errors import InputError


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("instances_val2017", "val"),
        ("Training", "train"),
        ("valid", "val"),
        ("my-test-set", "test"),
        ("trainer", None),
        ("contest", None),
        ("images", None),
    ],
)
def test_splits_are_words_of_names(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_the_order_of_finding_does_not_matter() -> None:
    names = [f"{i:02}" for i in range(30)]
    assert complete_splits({"train": names}, key=str) == complete_splits({"train": names[::-1]}, key=str)


def test_all_splits_are_left_as_they_are() -> None:
    found = {"train": ["b", "a"], "val": ["c"], "test": ["d"]}
    assert complete_splits(found, key=str) == {"train": ["a", "b"], "val": ["c"], "test": ["d"]}  # type: ignore[arg-type]


def test_lists_may_hold_more_than_names(tmp_path: Path) -> None:
    (tmp_path / "val.txt").write_text("one 1\n\n two\t-1\n")
    assert split_list(tmp_path, "val") == ["one", "two"]
    with pytest.raises(InputError, match=r"train\.txt: no such file"):
        split_list(tmp_path, "train")
