"""People dealt out whole: shares, the least, and the same people every time."""

from __future__ import annotations

import pytest

from cnnexp.data.identities import deal_people, fold_people
from cnnexp.errors import InputError


def test_people_are_dealt_out_by_name_and_share() -> None:
    pictures = {f"p{number:02}": 2 + number % 3 for number in range(40)}
    dealt = deal_people(pictures, ["val", "test"], "here")
    assert {split: len(names) for split, names in dealt.items()} == {"val": 6, "test": 6}
    assert not set(dealt["val"]) & set(dealt["test"])
    again = deal_people(dict(reversed(pictures.items())), ["val", "test"], "elsewhere")
    assert again == dealt, "the order in which they were found is of no account"
    assert deal_people({**pictures, "p99": 1}, ["val", "test"], "here") == dealt, "one of a single picture moves nobody"


def test_somebody_with_one_picture_is_never_dealt_out() -> None:
    pictures = {**{f"p{number}": 2 for number in range(6)}, **{f"q{number}": 1 for number in range(50)}}
    dealt = deal_people(pictures, ["val", "test"], "here")
    assert all(name.startswith("p") for names in dealt.values() for name in names)
    assert {split: len(names) for split, names in dealt.items()} == {"val": 2, "test": 2}


@pytest.mark.parametrize(
    ("pictures", "splits", "part"),
    [
        (
            {f"p{number}": 2 for number in range(5)},
            ["val", "test"],
            "5 people with two pictures or more; it takes 6, 2 in",
        ),
        ({f"p{number}": 1 for number in range(9)}, ["val", "test"], "0 people with two pictures or more"),
        ({f"p{number}": 2 for number in range(3)}, ["val"], "it takes 4, 2 in each of train, val"),
    ],
)
def test_too_few_people_are_refused(pictures: dict[str, int], splits: list, part: str) -> None:
    with pytest.raises(InputError, match=f"here: .*{part}|{part}"):
        deal_people(pictures, splits, "here")


def test_nothing_is_dealt_out_where_all_splits_are_there() -> None:
    assert deal_people({"anna": 1}, [], "here") == {}


def test_folds_have_everybody_whole_and_in_one_test() -> None:
    people = [f"p{number % 13}" for number in range(60)]
    tested: list[str] = []
    for fold in range(4):
        positions = fold_people(people, 4, fold)
        splits = {split: {people[place] for place in places} for split, places in positions.items()}
        assert sorted(place for places in positions.values() for place in places) == list(range(60))
        assert not splits["train"] & splits["val"] and not splits["train"] & splits["test"]
        assert not splits["val"] & splits["test"] and len(splits["val"]) == 2
        tested += sorted(splits["test"])
    assert sorted(tested) == sorted(set(people))


@pytest.mark.parametrize(
    ("people", "folds", "fold", "part"),
    [
        (13, 7, 0, r"data\.split\.folds=7: 13 identities; it takes"),
        (13, 1, 0, r"data\.split\.folds=1"),
        (5, 2, 0, r"data\.split\.folds=2: 5 identities"),
        (13, 4, 4, r"data\.split\.fold=4: must be from 0 to 3"),
    ],
)
def test_folds_of_too_few_people_are_refused(people: int, folds: int, fold: int, part: str) -> None:
    with pytest.raises(InputError, match=part):
        fold_people([f"p{number % people}" for number in range(60)], folds, fold)
