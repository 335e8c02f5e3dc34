from __future__ import annotations

import numpy as np

from cnnexp.visualize.pooling import shift_row, windows
from cnnexp.visualize.pooling_text import divided_lines, row_lines

MATRIX = np.array([[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]], float)


def test_windows_are_divided_and_their_largest_bracketed() -> None:
    assert divided_lines(MATRIX, windows(MATRIX, 2, 2)) == [
        *(" 1  3 |[2] 1", " 2 [9]| 1  1", "------+------", " 1  3 | 2 [3]", " 5 [6]| 1  2"),
    ]


def test_changed_values_have_a_star_and_stand_under_their_detectors() -> None:
    lines = row_lines(shift_row(np.array([0.1, 1, 0.2, 0.1]), "max", 3, 1, 1, [0.3]), 1)
    assert lines[3].split() == ["after", "pooled", "0.3*", "1", "1", "1*"]
    assert lines[4].split() == ["after", "detectors", "0.3*", "0.1*", "1*", "0.2*"]
    assert lines[-1] == "  moved right by 1: 4 of 4 detectors changed, 2 of 4 pooled values"
    strided = row_lines(shift_row(np.array([0.1, 1, 0.2, 0.1]), "max", 3, 2, 1, [0.3]), 1)
    assert strided[1].rindex("1") == strided[2].rindex("0.2") + 2  # the second window's middle is the third detector
