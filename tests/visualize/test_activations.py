from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from cnnexp.visualize.activation_sheet import CELL_PX, coloured, epochs_image, layers_image
from cnnexp.visualize.activations import Activations, activations
from cnnexp.visualize.canvas import fitted


def test_a_map_is_what_the_layer_hands_on_even_where_the_next_one_writes_into_it() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(2, 4, 3, padding=1)
    net = nn.Sequential(conv, nn.ReLU(inplace=True), nn.MaxPool2d(2)).eval()
    x = torch.randn(2, 2, 6, 8)
    first, second, third = activations(net, x, ["0", "1", "2"])
    by_hand = F.conv2d(x[:1], conv.weight, conv.bias, padding=1)[0].detach()
    assert np.allclose(first.maps, by_hand.numpy(), atol=1e-6)
    assert np.allclose(second.maps, by_hand.clamp(min=0).numpy(), atol=1e-6)
    assert np.allclose(third.maps, by_hand.clamp(min=0).unfold(1, 2, 2).unfold(2, 2, 2).amax((-2, -1)), atol=1e-6)


def test_what_is_no_map_is_refused() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(ValueError, match="1: no maps"):
        activations(net, torch.zeros(1, 1, 2, 2), ["1"])


def test_the_most_active_come_first_and_negative_ones_do_not_count() -> None:
    """Means of max(a, 0): 0, 2 and 0.5."""
    one = Activations("conv", np.array([[[-9.0, -9.0]], [[4.0, -9.0]], [[0.5, 0.5]]], np.float32))
    assert one.activity.tolist() == [0, 2, 0.5]
    assert one.most_active(2) == [1, 2]
    assert one.silent == 1


def test_colours_tell_below_from_above() -> None:
    low, nothing, high = coloured(np.array([[-2.0, 0.0, 2.0]], np.float32), 2.0)[0].astype(int)
    assert nothing.tolist() == [0, 0, 0]
    assert low[2] > low[0] and high[0] > high[2]


@pytest.mark.parametrize(("size", "drawn"), [((13, 26), (52, 104)), ((1, 1), (112, 112)), ((224, 112), (112, 56))])
def test_a_cell_is_enlarged_by_whole_factors(size: tuple[int, int], drawn: tuple[int, int]) -> None:
    image = fitted(Image.fromarray(np.zeros((*size, 3), np.uint8)), CELL_PX)
    assert (image.height, image.width) == drawn and max(drawn) <= CELL_PX


def test_sheets() -> None:
    generator = np.random.default_rng(0)
    rows = [Activations(f"layer{n}", generator.normal(size=(5, 9, 9)).astype(np.float32)) for n in range(3)]
    picture = np.zeros((9, 9, 1), np.uint8)
    sheet = layers_image(picture, rows, 4, "a title")
    assert sheet.width > 4 * CELL_PX
    film = epochs_image(picture, {"conv": rows}, {"conv": [4, 0]}, ["0", "1", "2"], "a title")
    assert 3 * CELL_PX < film.width < sheet.width
