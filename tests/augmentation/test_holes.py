"""Rectangles by hand: which pixels a draw leaves out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.augmentation.holes import Cutout, Erasing, fill, outside


def erasing_numbers(areas: list[float], place: float, first: float = 0.0) -> np.ndarray:
    """One sample: its tries' areas, ratios in the middle, and where the rectangle lies."""
    tries = areas + [areas[-1]] * (10 - len(areas))
    return np.array([[first, *tries, *[0.5] * 10, place, place]])


def test_a_square_by_hand() -> None:
    u = np.array([[0.0, 0.5, 0.5], [0.0, 0.0, 0.0], [0.0, 0.99, 0.99]])
    # a side of 4, of 10 × 0.4, around (10, 5), (0, 0) and (19, 9)
    assert Cutout(0.4, 1.0).rectangles(u, 10, 20).tolist() == [[8, 3, 12, 7], [0, 0, 2, 2], [17, 7, 20, 10]]


@pytest.mark.parametrize("hole", [Cutout(0.5, 0.25), Erasing(0.25, (0.1, 0.3), (0.5, 2.0))])
def test_the_first_number_decides_whether_there_is_one(hole: Cutout | Erasing) -> None:
    u = np.full((4, hole.lanes), 0.5)
    u[:, 0] = 0.0, 0.249, 0.25, 0.9
    rectangles = hole.rectangles(u, 20, 20)
    assert rectangles.any(1).tolist() == [True, True, False, False]


def test_an_erased_square_lies_anywhere_in_the_picture() -> None:
    erasing = Erasing(1.0, (0.25, 1.0), (1.0, 1.0))
    places = [erasing.rectangles(erasing_numbers([0.0], place), 20, 20)[0].tolist() for place in (0.0, 0.5, 0.999)]
    assert places == [[0, 0, 10, 10], [5, 5, 15, 15], [10, 10, 20, 20]]


def test_a_wide_rectangle_is_wide() -> None:
    ((left, top, right, bottom),) = Erasing(1.0, (0.08, 0.08), (4.0, 4.0)).rectangles(
        erasing_numbers([0.5], 0.0), 20, 40
    )
    assert (left, top, right, bottom) == (0, 0, 16, 4)


def test_the_first_try_that_fits_is_taken() -> None:
    erasing = Erasing(1.0, (0.0, 1.0), (1.0, 1.0))
    # the whole picture does not fit, nor does nothing
    ((_, _, right, bottom),) = erasing.rectangles(erasing_numbers([1.0, 0.0, 0.25, 0.04], 0.0), 20, 20)
    assert (right, bottom) == (10, 10)


def test_where_no_try_fits_the_picture_stays_whole() -> None:
    whole = Erasing(1.0, (1.0, 1.0), (1.0, 1.0))
    assert not whole.rectangles(erasing_numbers([0.5], 0.5), 20, 20).any()
    assert not Erasing(1.0, (0.3, 0.3), (1.0, 1.0)).rectangles(erasing_numbers([0.5], 0.5), 1, 1).any()


def test_the_right_and_lower_edges_are_not_in_a_rectangle() -> None:
    kept = outside(np.array([[1, 0, 3, 2], [0, 0, 0, 0], [2, 2, 4, 3]]), torch.empty(3, 5, 3, 4))
    assert kept.shape == (3, 1, 3, 4)
    assert kept[0, 0].tolist() == [[1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    assert (kept[1] == 1).all()
    assert kept[2, 0].tolist() == [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_all_channels_are_filled_in_place(dtype: torch.dtype) -> None:
    image = torch.full((1, 3, 4, 4), 7.0, dtype=dtype)
    filled = fill(image, np.array([[1, 1, 3, 4]]))
    assert filled is image and filled.dtype == dtype
    assert (image[:, :, 1:, 1:3] == 0).all() and int((image == 0).sum()) == 3 * 6
