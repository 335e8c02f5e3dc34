"""Classes of a net and of data, matched by their names."""

from __future__ import annotations

import pytest

from cnnexp.builders.same_classes import Known, match_classes
from cnnexp.errors import InputError

NET = Known(("dog", "crane", "cat", "crane"), "run-1", (("n02",), ("n03", "bird"), ("n05", "tabby"), ("n09",)))


def test_names_count_to_the_letter_and_further_names_after_them() -> None:
    found = match_classes(NET, ["cat", "n02"], "pets")
    assert found.numbers == (2, 0) and not found.same
    assert match_classes(NET, ["bird", "tabby"], "pets").numbers == (1, 2)
    assert match_classes(NET, ["n09"], "pets").numbers == (3,)
    with pytest.raises(InputError, match=r"^data=pets has Dog, which run-1 was not trained on .*; did you mean dog\?;"):
        match_classes(NET, ["Dog"], "pets")


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(InputError, match=r"^data=pets: crane are 2 classes of run-1, so which one is unknown$"):
        match_classes(NET, ["crane"], "pets")
    with pytest.raises(InputError, match=r"^data=pets: cat and tabby are one class of run-1, cat$"):
        match_classes(NET, ["cat", "tabby"], "pets")


def test_equal_names_in_equal_order_are_themselves_even_where_two_are_alike() -> None:
    found = match_classes(NET, list(NET.names), "pets")
    assert found.same and found.numbers == (0, 1, 2, 3)


def test_many_names_are_not_all_told() -> None:
    net = Known(tuple(f"c{number}" for number in range(1000)), "W")
    with pytest.raises(InputError, match=r"it knows c0, c1, .*, c11 and 988 more\).* say data\.classes=\[…\] where"):
        match_classes(net, ["zebra"], "pets")
    found = match_classes(net, [f"c{number}" for number in range(20, 34)], "pets")
    assert found.described().startswith("classes by name: c20 20, c21 21, ")
    assert found.described().endswith("c31 31 and 2 more, of the 1,000 that the net knows, counted from 0")
