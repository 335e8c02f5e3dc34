"""C3D: the published number of parameters, shapes along the net, sizes that leave nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.c3d import C3D
from tests.models.made import counted, learns


def c3d(**changes: Any) -> C3D:
    return C3D(**(dict(in_channels=3, num_classes=101, image_size=(112, 112), frames=16) | changes))


def test_the_published_number_of_parameters() -> None:
    assert counted(c3d) == 78_409_573


def test_maps_have_the_published_shapes() -> None:
    with torch.device("meta"):
        net, x = c3d(), torch.empty(1, 3, 16, 112, 112)
    shapes = []
    for layer in net.features:
        x = layer(x)
        if isinstance(layer, nn.MaxPool3d):
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [(64, 16, 56, 56), (128, 8, 28, 28), (256, 4, 14, 14), (512, 2, 7, 7), (512, 1, 4, 4)]
    assert [module.in_features for module in net.modules() if isinstance(module, nn.Linear)] == [8192, 4096, 4096]


@pytest.mark.parametrize(("frames", "size"), [(16, (16, 16)), (20, (32, 48)), (33, (17, 40))])
def test_other_sizes_pass(frames: int, size: tuple[int, int]) -> None:
    net = c3d(frames=frames, image_size=size, width=2, hidden=4, num_classes=3).eval()
    assert net(torch.zeros(2, 3, frames, *size)).shape == (2, 3)


def test_it_learns_with_batch_norm() -> None:
    learns(c3d(width=4, hidden=16, batch_norm=True, image_size=(16, 16), num_classes=4), torch.randn(8, 3, 16, 16, 16))


def test_what_is_too_short_or_too_small() -> None:
    with pytest.raises(InputError, match=r"^data.frames=8: c3d halves time four times; give data.frames=16 or more$"):
        c3d(frames=8)
    with pytest.raises(InputError, match=r"data.image_size=\[15,40\]: c3d takes pictures of at least 16 pixels"):
        c3d(image_size=(15, 40))
