from __future__ import annotations

import pytest

from cnnexp.errors import InputError
from cnnexp.models.bounds import all_at_least_one, at_least_one


def test_one_is_enough_for_either() -> None:
    at_least_one(width=1, depth=2)
    all_at_least_one(widths=(1, 2), none=())


def test_every_number_below_one_has_a_line_with_its_key() -> None:
    with pytest.raises(InputError) as refused:
        at_least_one(width=0, depth=1, growth=-3)
    assert refused.value.lines == (
        "model.width=0: expected a whole number of at least 1",
        "model.growth=-3: expected a whole number of at least 1",
    )


def test_a_list_is_shown_as_it_was_typed() -> None:
    with pytest.raises(InputError) as refused:
        all_at_least_one(widths=(8, 0, 16), kernel_sizes=[3, 3, 3], strides=[-1])
    assert refused.value.lines == (
        "model.widths=[8,0,16]: expected whole numbers of at least 1",
        "model.strides=[-1]: expected whole numbers of at least 1",
    )
