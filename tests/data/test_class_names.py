"""Names of classes, as they are told and typed."""

from __future__ import annotations

import pytest

from cnnexp.data.class_names import LEFT_OUT, listed, numbering, ranks


@pytest.mark.parametrize(
    ("names", "typed"),
    [
        (["dog", "Cat_2"], "data.classes=[dog,Cat_2]"),
        (["0", "1"], "\"data.classes=['0','1']\""),
        (["gas pump", "true"], "\"data.classes=['gas pump','true']\""),
        ([f"c{number}" for number in range(13)], "data.classes=[…]"),
    ],
)
def test_names_as_they_are_typed(names: list[str], typed: str) -> None:
    assert listed(names) == typed


def test_numbers_of_files_become_those_that_are_asked_for() -> None:
    assert numbering(None, ("a", "b"), "x") == (0, 1)
    assert numbering(("c", "a"), ("a", "b", "c"), "x") == (1, LEFT_OUT, 0)


def test_a_place_in_the_alphabet_is_the_same_in_any_order() -> None:
    assert ranks(("dog", "ape", "cat")) == (2, 0, 1) and ranks(("ape", "cat", "dog")) == (0, 1, 2)
