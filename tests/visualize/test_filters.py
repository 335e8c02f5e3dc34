from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnnexp.visualize.filter_sheet import GAP_PX, curves_image, legend, plain, tiles_image
from cnnexp.visualize.filters import Filters, filters_of, tile


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_a_pixel_is_a_weight() -> None:
    """Worked out by hand: −scale is 0, nothing 128 (127.5 rounded), +scale 255; half of it lies in the middle."""
    part = np.array([[-2.0, 0.0], [1.0, 2.0]], np.float32)
    assert tile(part, 2.0)[..., 0].tolist() == [[0, 128], [191, 255]]
    assert (tile(part, 2.0) == tile(part, 2.0)[..., :1]).all()


def test_a_colour_is_a_weight_of_that_colour() -> None:
    part = np.zeros((3, 1, 2), np.float32)
    part[0, 0, 1] = 1.0
    part[2, 0, 1] = -1.0
    assert tile(part, 1.0).tolist() == [[[128, 128, 128], [255, 128, 0]]]


@pytest.mark.parametrize("shape", [(20, 3, 5, 4), (20, 1, 5, 4)])
def test_each_filter_s_weights_can_be_read_off_the_sheet(shape: tuple[int, ...]) -> None:
    """Sixteen in a row: the tile of filter 17 is the second of the second row."""
    filters = Filters("conv", weights(*shape))
    scale = filters.largest
    sheet = np.asarray(tiles_image(filters, scale, range(20)))
    factor = (sheet.shape[0] // 2 - GAP_PX) // 5
    margin = sheet.shape[1] - 16 * (4 * factor + GAP_PX)
    for number, row, column in ((0, 0, 0), (17, 1, 1), (19, 1, 3)):
        top, left = row * (5 * factor + GAP_PX), margin + column * (4 * factor + GAP_PX)
        pixels = sheet[top : top + 5 * factor : factor, left : left + 4 * factor : factor].astype(float)
        read = (pixels - 127.5) / 127.5 * scale
        expected = filters.weights[number].transpose(1, 2, 0)
        assert np.abs(read - expected).max() <= scale / 255 + 1e-6, number


def test_a_matrix_of_tiles_has_the_filters_down_and_the_maps_across() -> None:
    filters = Filters("conv", weights(4, 6, 3, 3))
    scale = filters.largest
    sheet = np.asarray(tiles_image(filters, scale, [2, 0], [5, 1, 3])).astype(float)
    bright = (filters.weights[0, 3] / scale * 127.5 + 127.5).round()
    factor = 24
    below = sheet[-3 * factor - GAP_PX : -GAP_PX : factor, -3 * factor - GAP_PX : -GAP_PX : factor, 0]
    assert np.abs(below - bright).max() <= 1


def test_which_layers_have_filters() -> None:
    up = nn.ConvTranspose2d(8, 6, 2, groups=2)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8), up, nn.Flatten(),
        nn.Linear(12, 2),
    )  # fmt: skip
    found = filters_of(net, [str(place) for place in range(6)], (3, 4, 4))
    assert [(one.layer, one.weights.shape) for one in found] == [("0", (8, 3, 3, 3)), ("3", (6, 4, 2, 2))]
    transposed = up.weight.detach()  # (8, 3, 2, 2): of each map that goes in, the three maps of its group
    assert np.array_equal(found[1].weights[4, 1], transposed[4 + 1, 1].numpy())


def test_the_units_of_a_first_linear_layer_are_filters_over_the_whole_picture() -> None:
    first = nn.Linear(12, 5)
    net = nn.Sequential(nn.Flatten(), first, nn.Linear(5, 12), nn.Linear(12, 12))
    (found,) = filters_of(net, ["0", "1", "2", "3"], (3, 2, 2))
    assert found.layer == "1" and plain(found)
    x = torch.randn(1, 3, 2, 2)
    by_tiles = (torch.from_numpy(found.weights) * x).sum((1, 2, 3)) + first.bias
    assert torch.allclose(net[:2](x)[0], by_tiles, atol=1e-6)


def test_strength_and_way() -> None:
    """√(3² + 4²) = 5; from (3, 4) to (3, 0) it is 4 of 5."""
    before = Filters("conv", np.array([[[[3.0, 4.0]]], [[[1.0, 0.0]]]], np.float32))
    after = Filters("conv", np.array([[[[3.0, 0.0]]], [[[4.0, 0.0]]]], np.float32))
    assert before.norms.tolist() == [5, 1]
    assert (before.strongest(1), after.strongest(2)) == ([0], [1, 0])
    assert after.moved(before) == pytest.approx([0.8, 3])
    began = Filters("conv", np.concatenate([np.zeros_like(before.weights[:1]), before.weights[1:]]))
    assert after.moved(began) == pytest.approx([np.nan, 3], nan_ok=True), "of 0 there is no part"


def test_curves_and_legends_are_drawn() -> None:
    filters = Filters("conv", weights(9, 2, 5))
    assert curves_image(filters, filters.largest, range(9), filters).width > 300
    colours = legend(1.0, Filters("conv", weights(2, 3, 3, 3))).width
    assert colours > 3 * legend(1.0, Filters("conv", weights(2, 4, 3, 3))).width
