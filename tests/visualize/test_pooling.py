"""Pooling by hand, against torch, and the row of the book's figure 9.8."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnnexp.visualize.pooling import KINDS, left_over, moved_right, pooled, pooled_row, shift_row, windows

MATRIX = np.array([[1, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]], float)
BOOK_ROW = np.array([0.1, 1, 0.2, 0.1])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("max", [[9, 2], [6, 3]]),
        ("average", [[15 / 4, 5 / 4], [15 / 4, 8 / 4]]),
        (
            "l2",
            [[95**0.5, 7**0.5], [71**0.5, 18**0.5]],
        ),  # 1 + 9 + 4 + 81, 4 + 1 + 1 + 1, 1 + 9 + 25 + 36, 4 + 9 + 1 + 4
    ],
)
def test_two_by_two_by_hand(kind: str, expected: list[list[float]]) -> None:
    assert np.allclose(pooled(MATRIX[None], KINDS[kind], 2, 2)[0], expected)


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 1), (3, 2), (2, 3)])
def test_the_windows_are_those_that_the_layer_sums_up(kernel: int, stride: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(7, 8))
    found = windows(matrix, kernel, stride)
    assert np.allclose(pooled(matrix[None], "max", kernel, stride).ravel(), [one.values.max() for one in found])
    assert np.allclose(pooled(matrix[None], "average", kernel, stride).ravel(), [one.values.mean() for one in found])
    norms = np.array([np.linalg.norm(one.values) for one in found])
    assert np.allclose(pooled(matrix[None], "l2", kernel, stride).ravel(), norms)
    assert np.allclose([one.mean_square_root for one in found], norms / kernel)


def test_each_channel_is_pooled_alone() -> None:
    values = np.stack([MATRIX, -MATRIX])
    assert pooled(values, "max", 2, 2)[1].tolist() == [[-1, -1], [-1, -1]]


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "expected"), [(4, 2, 2, 0), (5, 2, 2, 1), (7, 3, 2, 0), (8, 3, 2, 1)]
)
def test_what_no_window_reaches(side: int, kernel: int, stride: int, expected: int) -> None:
    reached = {row + a for row in range(0, side - kernel + 1, stride) for a in range(kernel)}
    assert left_over(side, kernel, stride) == side - 1 - max(reached) == expected


def test_the_book_s_row_before_and_after_the_shift() -> None:
    row = shift_row(BOOK_ROW, "max", 3, 1, 1, [0.3])
    assert row.before.pooled.tolist() == [1, 1, 1, 0.2]
    assert row.after.detectors.tolist() == [0.3, 0.1, 1, 0.2]
    assert row.after.pooled.tolist() == [0.3, 1, 1, 1]
    assert row.changed_detectors.sum() == 4
    assert row.changed_pooled.tolist() == [True, False, False, True]


def test_average_and_l2_of_a_row_are_cut_at_the_ends() -> None:
    assert np.allclose(pooled_row(BOOK_ROW, "average", 3, 1).pooled, [1.1 / 2, 1.3 / 3, 1.3 / 3, 0.3 / 2])
    assert np.allclose(pooled_row(BOOK_ROW, "l2", 3, 1).pooled ** 2, [1.01, 1.05, 1.05, 0.05])


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 3)])
def test_a_row_of_maxima_is_torch_s_with_padding(kernel: int, stride: int) -> None:
    row = np.random.default_rng(1).normal(size=11)
    expected = functional.max_pool1d(torch.from_numpy(row)[None], kernel, stride, kernel // 2)[0]
    assert np.allclose(pooled_row(row, "max", kernel, stride).pooled, expected.numpy())


def test_a_row_moves_by_what_comes_in() -> None:
    assert moved_right(BOOK_ROW, 2, [7]).tolist() == [7, 7, 0.1, 1]
    assert moved_right(BOOK_ROW, 2, [7, 8]).tolist() == [7, 8, 0.1, 1]
    with pytest.raises(ValueError, match="3 values come in over 2"):
        moved_right(BOOK_ROW, 2, [1, 2, 3])
    with pytest.raises(ValueError, match="a shift by 4"):
        moved_right(BOOK_ROW, 4, [1])
