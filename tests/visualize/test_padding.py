"""How often a pixel is used, counted one output and one tap at a time."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.matrix import matrix_image
from cnnexp.visualize.padding import Use, kinds, padding_image


def brute_force(use: Use, size: tuple[int, int], kernel: tuple[int, int], stride: int, dilation: int) -> np.ndarray:
    counts = np.zeros(size, int)
    for i in range(use.output[0]):
        for j in range(use.output[1]):
            for a in range(kernel[0]):
                for b in range(kernel[1]):
                    row = i * stride + a * dilation - use.before[0]
                    column = j * stride + b * dilation - use.before[1]
                    if 0 <= row < size[0] and 0 <= column < size[1]:
                        counts[row, column] += 1
    return counts


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation"),
    [
        ((7, 7), (3, 3), 1, 1),
        ((7, 9), (5, 5), 2, 1),
        ((6, 8), (2, 3), 1, 2),
        ((9, 9), (3, 3), 3, 1),
        ((5, 5), (1, 1), 2, 1),
    ],
)
def test_counts(size: tuple[int, int], kernel: tuple[int, int], stride: int, dilation: int) -> None:
    uses = kinds(size, kernel, stride, dilation)
    assert [one.name for one in uses] == ["valid", "same", "full"]
    for one in uses:
        assert np.array_equal(one.counts, brute_force(one, size, kernel, stride, dilation)), one.name
        assert one.corner == one.counts[0, 0] and one.middle == one.counts[size[0] // 2, size[1] // 2]


def test_a_3x3_kernel_by_hand() -> None:
    valid, same, full = kinds((7, 7), (3, 3))
    assert (valid.corner, valid.edge, valid.middle) == (1, 3, 9)
    assert (same.corner, same.edge, same.middle) == (4, 6, 9)
    assert (full.counts == 9).all()
    assert [one.output for one in (valid, same, full)] == [(5, 5), (7, 7), (9, 9)]


@pytest.mark.parametrize(("side", "kernel", "stride"), [(7, 3, 2), (8, 3, 2), (8, 2, 2), (10, 4, 3), (5, 1, 2)])
def test_same_has_the_size_over_the_stride_rounded_up(side: int, kernel: int, stride: int) -> None:
    same = kinds((side, side), (kernel, kernel), stride)[1]
    assert same.output == (-(-side // stride),) * 2
    assert same.after[0] - same.before[0] in (0, 1)


def test_a_kernel_larger_than_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        kinds((4, 4), (3, 3), dilation=2)


def test_the_counts_are_drawn_in_cells_where_there_are_few() -> None:
    uses = kinds((7, 7), (3, 3))
    page = np.asarray(padding_image(uses, "title"))
    wanted = np.asarray(matrix_image(uses[0].counts))
    height, width = wanted.shape[:2]
    assert any(np.array_equal(page[top : top + height, 16 : 16 + width], wanted) for top in range(20, 100))
    assert padding_image(kinds((40, 40), (3, 3)), "title").width > 3 * 256
