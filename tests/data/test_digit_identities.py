"""Digits as identities: which digits each split has, and what makes no such split."""

from __future__ import annotations

import pytest
import torch

from cnnexp.data.mnist5k import digits_of
from cnnexp.errors import InputError
from tests.data.tiny import all_of, load_all, make_data_set, measured, read_conf


def digits_in(split: object) -> dict[int, int]:
    """How many pictures there are of each digit."""
    labels, counts = all_of(split)["label"].unique(return_counts=True)  # type: ignore[arg-type]
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def test_the_test_has_digits_that_are_in_no_other_split() -> None:
    splits = load_all(make_data_set("digit_identities"))
    assert digits_in(splits["train"]) == dict.fromkeys(range(7), 400)
    assert digits_in(splits["val"]) == dict.fromkeys(range(7), 100)
    assert digits_in(splits["test"]) == dict.fromkeys(range(7, 10), 500)
    names = [name for split in splits.values() for name in split.names or ()]
    assert len(set(names)) == len(names) == 5000


def test_pictures_labels_and_names_belong_together() -> None:
    pictures, labels, rows = digits_of("test")
    place = int((labels == 8).nonzero()[0][0])
    split = make_data_set("digit_identities").load("test")
    found = list(split.names or ()).index(f"mnist5k/{rows[place]}")
    batch = split.batch([found])
    assert torch.equal(batch["image"][0, 0], torch.from_numpy(pictures[place])) and batch["label"].tolist() == [8]


def test_the_yaml_states_mean_and_deviation() -> None:
    stated = read_conf("digit_identities")["data"]
    mean, std = measured(all_of(make_data_set("digit_identities").load("train"))["image"])
    assert mean == pytest.approx(stated["mean"], abs=6e-5) and std == pytest.approx(stated["std"], abs=6e-5)


def test_a_validation_of_digits_of_its_own() -> None:
    splits = load_all(make_data_set("digit_identities", trained=["0", "1"], validated=["2", "3"], tested=["8", "9"]))
    assert digits_in(splits["train"]) == {0: 500, 1: 500}, "nothing has to be held out of them"
    assert digits_in(splits["val"]) == {2: 500, 3: 500} and digits_in(splits["test"]) == {8: 500, 9: 500}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"trained": ["0", "x"]}, r"data\.trained: x is no digit"),
        ({"trained": ["0", "7"]}, r"data\.tested: 7 stands in data\.trained already"),
        ({"tested": ["8", "8", "9"]}, r"data\.tested: 8 stands twice"),
        ({"tested": ["8"]}, r"data\.tested: 1 digit; it takes two at least"),
        ({"trained": ["0", "1"], "validated": ["2"]}, r"data\.validated: 1 digit; it takes two at least"),
    ],
)
def test_what_makes_no_split_is_refused(changes: dict[str, object], part: str) -> None:
    with pytest.raises(InputError, match=part):
        make_data_set("digit_identities", **changes)
