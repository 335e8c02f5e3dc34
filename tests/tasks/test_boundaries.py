"""Boundary F1 by hand, and against every pixel held to every other one; void takes no part."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cnnexp.augmentation.motion import VOID
from cnnexp.tasks.boundaries import BoundaryScores, boundary_f1

Picture = NDArray[np.int64]


def half(columns: int, side: int = 8) -> Picture:
    """Class 1 in so many columns at the left, class 0 at their right."""
    picture = np.zeros((side, side), np.int64)
    picture[:, :columns] = 1
    return picture


@pytest.mark.parametrize(("tolerance", "expected"), [(0.0, 0.0), (1.0, 0.0), (1.9, 0.0), (2.0, 1.0)])
def test_a_straight_edge_that_is_two_pixels_off_is_met_from_two_on(tolerance: float, expected: float) -> None:
    assert boundary_f1(half(5), half(3), tolerance) == expected


def test_two_classes_by_hand() -> None:
    """Of a true corner pixel of class 1, its own pixel is the boundary; class 0 has the two beside it. The answer has
    two pixels of class 1 in a row: both are boundary, one is met; class 0 has three, of which one is true."""
    true, said = np.zeros((3, 3), np.int64), np.zeros((3, 3), np.int64)
    true[0, 0] = said[0, 0] = said[0, 1] = 1
    of_one = 2 * 0.5 * 1 / 1.5  # precision 1/2, recall 1
    of_zero = 2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2)  # (1,0) of (1,0), (1,1), (0,2); of (0,1), (1,0)
    assert boundary_f1(said, true, 0.0) == pytest.approx((of_one + of_zero) / 2)


def slowly(said: Picture, true: Picture, tolerance: float) -> float:
    """Pixel by pixel."""
    height, width = true.shape
    inside = [(y, x) for y in range(height) for x in range(width) if true[y, x] != VOID]

    def outline(mask: Picture, number: int) -> list[tuple[int, int]]:
        sides = ((0, 1), (1, 0), (0, -1), (-1, 0))
        return [
            (y, x)
            for y, x in inside
            if mask[y, x] == number and any((y + v, x + u) in inside and mask[y + v, x + u] != number for v, u in sides)
        ]

    scores = []
    for number in range(4):
        one, other = outline(said, number), outline(true, number)
        if not one and not other:
            continue
        p, r = (
            sum(any(math.dist(a, b) <= tolerance for b in there) for a in here) / max(len(here), 1)
            for here, there in ((one, other), (other, one))
        )
        scores.append(2 * p * r / (p + r) if p + r else 0.0)
    return sum(scores) / len(scores) if scores else math.nan


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tolerance", [0.0, 1.0, 1.5])
def test_it_is_that_of_every_pixel_held_to_every_other(seed: int, tolerance: float) -> None:
    generator = np.random.default_rng(seed)
    said, true = (np.kron(generator.integers(0, 3, (3, 3)), np.ones((3, 3), np.int64))[:7, :8] for _ in range(2))
    true[generator.random(true.shape) < 0.2 * (seed % 2)] = VOID
    said[true == VOID] = 3  # what is said of void is heard by nobody
    assert boundary_f1(said, true, tolerance) == pytest.approx(slowly(said, true, tolerance), nan_ok=True)


def test_void_hides_what_lies_in_it_and_makes_no_boundary() -> None:
    true, said = half(4), half(4)
    true[:, 3:6] = VOID
    assert math.isnan(boundary_f1(np.where(true == VOID, 2, said), true, 1.0)), "the classes do not touch"
    true, said = half(4), half(4)
    true[0, 0] = VOID
    said[0, 0] = 0
    assert boundary_f1(said, true, 0.0) == 1.0


def test_a_class_that_only_one_of_them_has_scores_nothing() -> None:
    said = half(4)
    said[2:4, 1:3] = 2
    # class 1 has its 8 true pixels, and 6 more around the square that lie in no true boundary
    of_left = 2 * (8 / 14) / (8 / 14 + 1)
    assert boundary_f1(said, half(4), 0.0) == pytest.approx((1 + of_left + 0) / 3)


def test_the_mean_is_over_pictures_that_have_a_boundary_and_over_batches() -> None:
    scores = BoundaryScores(1.0)
    same, off, plain = half(4), half(6), half(0)
    scores.update(*(torch.from_numpy(np.stack(one)) for one in ([same, off, plain], [same, same, plain])))
    scores.update(*(torch.from_numpy(np.stack(one)) for one in ([same], [same])))
    assert scores.compute() == pytest.approx((1 + 0 + 1) / 3)
    assert math.isnan(BoundaryScores(1.0).compute())


def test_the_usual_tolerance_is_a_part_of_the_diagonal() -> None:
    """0.75 % of a picture of 160×120, whose diagonal is 200, is a pixel and a half."""
    found = []
    for columns in (81, 82):
        true, said = (np.zeros((120, 160), np.int64) for _ in range(2))
        true[:, :80], said[:, :columns] = 1, 1
        scores = BoundaryScores(None)
        scores.update(torch.from_numpy(said)[None], torch.from_numpy(true)[None])
        found.append(scores.compute())
    assert found == [1.0, 0.0]
