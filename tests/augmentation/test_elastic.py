"""How far the points of the coarse grid move, and what lies between them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.augmentation.elastic import Elastic, field


@pytest.mark.parametrize("points", [2, 3, 5, 8])
def test_displacements_are_gaussian_of_the_size_asked_for(points: int) -> None:
    operation = Elastic(0.02, points, 1.0)
    u = np.random.default_rng(points).random((4000, operation.lanes))
    moved = operation.displacements(u, shorter=50)
    assert moved.shape == (4000, 2, points, points)
    assert moved.std() == pytest.approx(1.0, rel=0.03), "0.02 of 50 pixels"
    assert (moved**4).mean() / moved.var() ** 2 == pytest.approx(3, rel=0.1)
    columns = moved.reshape(4000, -1).T
    apart = np.abs(np.corrcoef(columns) - np.eye(len(columns)))
    assert apart.max() < 6 / 4000**0.5, "of their own for each point and axis"


def test_one_pair_of_numbers_gives_two_displacements() -> None:
    operation = Elastic(0.1, 2, 1.0)
    radius = [1 - np.exp(-2)] * 4  # a distance of 2
    moved = operation.displacements(np.array([[0.0, *radius, 0.0, 0.25, 0.5, 0.125]]), shorter=10)
    root = 2**0.5
    assert moved[0, 0].ravel().tolist() == pytest.approx([2, 0, -2, root], abs=1e-9)
    assert moved[0, 1].ravel().tolist() == pytest.approx([0, 2, 0, root], abs=1e-9)


def test_some_pictures_stay_as_they_are() -> None:
    operation = Elastic(0.1, 3, 0.4)
    u = np.random.default_rng(0).random((50, operation.lanes))
    still = (operation.displacements(u, 20) == 0).all((1, 2, 3))
    assert np.array_equal(still, u[:, 0] >= 0.4) and still.any()


@pytest.mark.parametrize("size", [(9, 9), (7, 12)])
def test_the_outer_points_lie_on_the_outer_pixels(size: tuple[int, int]) -> None:
    points = torch.randn(2, 2, 4, 4, dtype=torch.float64)
    pixels = field(points, size)
    assert pixels.shape == (2, 2, *size)
    assert torch.allclose(pixels[..., :: size[0] - 1, :: size[1] - 1], points[..., ::3, ::3])


def test_every_point_is_met_and_where_all_move_alike_so_does_what_lies_between() -> None:
    points = torch.randn(1, 2, 5, 5, dtype=torch.float64)
    assert torch.allclose(field(points, (17, 33))[..., ::4, ::8], points)
    assert torch.allclose(field(torch.full((1, 2, 5, 5), 3.0), (17, 33)), torch.tensor(3.0))
