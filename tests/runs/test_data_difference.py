"""Two records of samples held against each other: each way in which they differ, by name."""

from __future__ import annotations

from typing import Any

from cnnexp.runs.data_difference import DataDifference, data_difference
from cnnexp.runs.data_record import DataRecord, SplitRecord

Sample = tuple[str, int | str | None, str | None]
CAT, DOG = 0, 1


def made(train: list[Sample], val: Any = (), test: Any = (), sizes: bool = True, form: str | None = None) -> DataRecord:
    splits = {}
    for name, samples in {"train": train, "val": val, "test": test}.items():
        digests = [one[2] for one in samples]
        splits[name] = SplitRecord.of(
            len(samples),
            [one[0] for one in samples],
            [7] * len(samples) if sizes else None,
            [one[1] for one in samples],
            None if None in digests else [str(one) for one in digests],
            form=form,
        )
    return DataRecord.of(splits, ("cat", "dog"))


A, B, C = ("a", CAT, "1"), ("b", DOG, "2"), ("c", DOG, "3")


def test_the_same_samples_do_not_differ() -> None:
    assert not data_difference(made([A, B], [C]), made([A, B], [C]))


def test_samples_of_one_alone() -> None:
    assert data_difference(made([A, B]), made([A, C])) == DataDifference(only_first=["b"], only_second=["c"])


def test_another_truth_and_other_contents() -> None:
    found = data_difference(made([A, B, C]), made([("a", DOG, "1"), ("b", DOG, "9"), C]))
    assert found == DataDifference(relabelled=[("a", "cat", "dog")], changed=["b"])
    assert found.lost() == {"a", "b"}
    assert found.losses() == "1 relabelled (a: cat, now dog); 1 changed (b)"


def test_pictures_that_change_places_have_changed_their_labels() -> None:
    """As when cat/1 and dog/1 are exchanged: each name has other contents, which are there under the other name."""
    before = made([("cat/1", CAT, "x"), ("dog/1", DOG, "y")])
    found = data_difference(before, made([("cat/1", CAT, "y"), ("dog/1", DOG, "x")]))
    assert found.moved == [("cat/1", "dog/1", "cat", "dog"), ("dog/1", "cat/1", "dog", "cat")]
    assert (found.changed, found.only_first, found.only_second) == ([], [], [])
    assert found.losses() == "2 relabelled (cat/1, now dog/1, dog/1, now cat/1)"


def test_a_new_name_is_a_new_name_unless_the_contents_occur_twice() -> None:
    found = data_difference(made([A, B]), made([("z", CAT, "1"), B]))
    assert found.moved == [("a", "z", "cat", "cat")] and found.losses() == "1 renamed (a, now z)"
    twice = data_difference(made([A, ("a2", CAT, "1"), B]), made([("z", CAT, "1"), ("a2", CAT, "1"), B]))
    assert (twice.moved, twice.only_first, twice.only_second) == ([], ["a"], ["z"])


def test_another_split_and_another_order() -> None:
    found = data_difference(made([A, B], [C]), made([A, C], [B]))
    assert found.dealt == [("b", "train", "val"), ("c", "val", "train")] and not found.lost()
    assert data_difference(made([A, B]), made([B, A])) == DataDifference(reordered=True)


def test_a_split_that_is_used_twice_is_one_of_two_purposes() -> None:
    found = data_difference(made([A], [B], [B]), made([A], [B], [C]))
    assert found == DataDifference(only_second=["c"], dealt=[("b", "test and val", "val")])


def test_equal_names_of_different_samples_go_by_their_split() -> None:
    one = made([("x", CAT, "1")], [("x", DOG, "2")])
    other = made([("x", CAT, "1")], [("x", DOG, "5")])
    assert data_difference(one, other).changed == ["val/x"]


def test_what_one_did_not_look_at_is_no_difference() -> None:
    blind = made([("a", CAT, None), ("b", DOG, None)], sizes=False)
    assert not data_difference(made([A, B]), blind)
    unread, read = ("m", "?1234", None), ("m", "abcd", "5")
    assert not data_difference(made([unread]), made([read]))
    assert data_difference(made([unread]), made([("m", "?9999", None)])).relabelled == [("m", "?1234", "?9999")]


def test_numbers_at_another_size_say_nothing_and_other_numbers_do() -> None:
    def numbers(form: str, whole: str) -> DataRecord:
        own = SplitRecord.of(1, ["digits/0"], None, [3], None, whole, form)
        empty = SplitRecord.of(0, [], None, [], None, "", form)
        return DataRecord.of({"train": own, "val": empty, "test": empty}, ())

    assert not data_difference(numbers("28", "x"), numbers("32", "y"))
    assert data_difference(numbers("28", "x"), numbers("28", "y")) == DataDifference(unnamed=True)
