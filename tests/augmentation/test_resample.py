"""Along a grid: which axis shrinks, the picture's very edge, and what a grid is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnexp.augmentation.geometry import Frame, Geometry
from cnnexp.augmentation.resample import VOID, Grid, make_grid, sample, sample_mask, shrinkage


def zoomed(x: float, y: float, count: int = 1) -> Geometry:
    """An output pixel covers so many source pixels."""
    return Geometry(np.tile(np.diag([x, y]), (count, 1, 1)), np.zeros((count, 2)))


def resampled(image: Tensor, geometry: Geometry, output: tuple[int, int]) -> Tensor:
    frame = Frame((image.shape[-2], image.shape[-1]), output)
    return sample(image, make_grid(geometry, frame, image), shrinkage(geometry))


def test_by_how_much_each_axis_of_the_source_shrinks() -> None:
    quarter = np.array([[[0.0, 2.0], [-1.0, 0.0]]])  # the source's x runs along the output's y
    assert shrinkage(Geometry(quarter, np.zeros((1, 2)))).tolist() == [[2.0, 1.0]]
    half = np.sqrt(0.5) * 3
    turned = np.array([[[half, -half], [half, half]]])
    assert shrinkage(Geometry(turned, np.zeros((1, 2))))[0].tolist() == pytest.approx([3.0, 3.0])


def test_only_the_axis_that_shrinks_is_averaged() -> None:
    stripes = (torch.arange(48) % 2 * 200.0)[None].expand(48, 48)
    upright, lying = stripes[None, None].contiguous(), stripes.T[None, None].contiguous()
    narrowed = resampled(upright, zoomed(4, 1), (48, 12))
    assert (narrowed - 100).abs().max() < 1e-3
    assert (resampled(lying, zoomed(4, 1), (48, 12)) - lying[..., :12]).abs().max() < 0.01
    assert (resampled(lying, zoomed(1, 4), (12, 48)) - 100).abs().max() < 1e-3


def test_each_sample_is_averaged_by_its_own_shrinkage() -> None:
    image = torch.rand(3, 2, 24, 24)
    geometry = Geometry(np.stack([np.diag(one) for one in ([1.0, 1.0], [4.0, 2.0], [2.0, 4.0])]), np.zeros((3, 2)))
    together = resampled(image, geometry, (6, 6))
    for i in range(3):
        alone = resampled(image[i : i + 1], Geometry(geometry.linear[i : i + 1], geometry.offset[i : i + 1]), (6, 6))
        assert torch.equal(together[i], alone[0])
    blocks = image[1].view(2, 12, 2, 6, 4).mean((2, 4))
    assert (together[1] - blocks[:, 3:9]).abs().max() < 1e-5, "blocks of 2 rows and 4 columns, by hand"


def test_a_picture_smaller_than_one_pixel_is_its_mean() -> None:
    image = torch.rand(1, 3, 8, 8)
    result = resampled(image, zoomed(100, 100), (3, 3))
    assert (result[0, :, 1, 1] - image.mean((2, 3))[0]).abs().max() < 1e-6
    result[0, :, 1, 1] = 0
    assert (result == 0).all(), "black around it"


def test_masks_take_the_nearest_pixel_and_void_beyond_the_edge() -> None:
    mask = torch.arange(6, dtype=torch.uint8).view(1, 2, 3)
    x = torch.tensor([-1.0001, -1.0, -0.34, -0.33, 0.33, 0.34, 1.0, 1.0001])
    places = torch.stack([x, torch.full_like(x, 1.0)], 1)[None, None]
    within = (places.abs() <= 1).all(-1)
    row = sample_mask(mask, Grid(places, within))
    assert row.dtype == torch.uint8
    assert row.tolist() == [[[VOID, 3, 3, 4, 4, 5, 5, VOID]]]


def test_a_grid_reaches_the_outer_pixels_centres() -> None:
    frame = Frame((4, 8), (4, 8))
    grid = make_grid(zoomed(1, 1, 2), frame, torch.empty(1, dtype=torch.float64))
    assert grid.places.shape == (2, 4, 8, 2) and grid.places.dtype == torch.float64
    assert grid.places[1, 0, 0].tolist() == [-1 + 1 / 8, -1 + 1 / 4]
    assert grid.places[1, 3, 7].tolist() == [1 - 1 / 8, 1 - 1 / 4]
    assert grid.within.all()


def test_a_warp_is_in_pixels_of_the_source() -> None:
    frame = Frame((4, 8), (4, 8))
    still = make_grid(zoomed(1, 1), frame, torch.empty(1))
    warp = torch.zeros(1, 2, 4, 8)
    warp[:, 0, 0, 7], warp[:, 1, 3, 2] = 1.0, -2.0
    moved = make_grid(zoomed(1, 1), frame, torch.empty(1), warp)
    difference = moved.places - still.places
    assert difference[0, 0, 7].tolist() == [2 / 8, 0.0] and difference[0, 3, 2].tolist() == [0.0, -2 * 2 / 4]
    assert int((difference != 0).sum()) == 2
    assert not moved.within[0, 0, 7] and int(moved.within.sum()) == 31, "one pixel right of the outermost is outside"
