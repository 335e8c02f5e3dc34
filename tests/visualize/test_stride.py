"""A stride against SciPy-free sliding windows, and its multiply-adds counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from cnnexp.visualize.stride import stride_image, stride_over

KERNEL = np.array([[3, 4, 4], [1, 0, 2], [-1, 0, 3]], float)


@pytest.mark.parametrize(("size", "stride"), [((7, 7), 2), ((9, 12), 3), ((8, 8), 1), ((8, 6), 5)])
def test_the_strided_result_is_the_dense_one_sampled(size: tuple[int, int], stride: int) -> None:
    picture = np.random.default_rng(0).integers(0, 10, (1, *size)).astype(float)
    one = stride_over(picture, KERNEL, stride)
    dense = (sliding_window_view(picture[0], (3, 3)) * KERNEL).sum((2, 3))
    assert np.allclose(one.dense[0], dense)
    assert np.allclose(one.strided[0], dense[::stride, ::stride])
    assert one.largest_difference == 0


def test_the_work_of_a_stride_by_hand() -> None:
    one = stride_over(np.zeros((1, 7, 7)), KERNEL, 2)
    assert (one.dense_multiply_adds, one.strided_multiply_adds) == (5 * 5 * 9, 3 * 3 * 9)
    assert one.part == pytest.approx(9 / 25)
    assert stride_over(np.zeros((3, 16, 24)), KERNEL, 4, padding=1).part == 1 / 16


def test_the_places_that_are_taken_are_framed() -> None:
    one = stride_over(np.arange(49.0).reshape(1, 7, 7), KERNEL, 2)
    frames = (np.asarray(stride_image(one, True, [])) == (213, 94, 0)).all(axis=2)
    columns = np.flatnonzero(frames.any(axis=0))
    rows = np.flatnonzero(frames.any(axis=1))
    assert 1 + (np.diff(rows) > 1).sum() == 3 and 1 + (np.diff(columns) > 1).sum() == 3
    none = stride_over(np.arange(900.0).reshape(1, 30, 30), KERNEL, 2)
    assert not (np.asarray(stride_image(none, True, [])) == (213, 94, 0)).all(axis=2).any()
