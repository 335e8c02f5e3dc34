from __future__ import annotations

import numpy as np

from cnnexp.data.trec_pairs import drawn_pairs


def test_half_of_the_pairs_are_of_one_kind_and_none_is_a_question_and_itself() -> None:
    kinds = np.arange(300) % 6
    first, second = drawn_pairs(kinds, 2000, 0)
    same = kinds[first] == kinds[second]
    assert same[::2].all() and not same[1::2].any()
    assert (first != second).all()
    assert np.abs(np.bincount(first, minlength=300) - 2000 / 300).max() < 15
    again = drawn_pairs(kinds, 1000, 0)
    assert (again[0] == first[:1000]).all() and (again[1] == second[:1000]).all()
    assert (drawn_pairs(kinds, 2000, 1)[0] != first).mean() > 0.9
