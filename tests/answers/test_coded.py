"""What is drawn of codes: strangers among the neighbours, and the two ends between which something lies, are marked."""

from __future__ import annotations

import numpy as np

from cnnexp.answers.coded import Coded

GREY = np.full((6, 6, 1), 128, np.uint8)
MARK = (213, 94, 0)


def marked(image: object) -> int:
    return int((np.asarray(image) == MARK).all(2).sum())


def test_neighbours_of_another_class_are_marked() -> None:
    same = Coded().neighbours([GREY] * 4, ["a", "a", "b", "b"], 2)
    other = Coded().neighbours([GREY] * 4, ["a", "a", "b", "a"], 2)
    assert marked(same) == 0 < marked(other)
    assert marked(Coded().neighbours([GREY] * 4, [""] * 4, 2)) == 0


def test_the_ends_of_a_row_are_marked() -> None:
    drawn = Coded().interpolation([[GREY] * 5, [GREY] * 5])
    assert marked(drawn) > 0
    assert marked(np.asarray(drawn)[:, drawn.width // 3 : -(drawn.width // 3)]) == 0, "not what lies between"
