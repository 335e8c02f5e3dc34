"""The CIFAR DenseNet against the paper's count and its definition."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.densenet_cifar import CifarDenseNet, DenseBlock
from tests.models.made import counted, learns, meta_shapes


def densenet(**changes: Any) -> CifarDenseNet:
    arguments: dict[str, Any] = dict(in_channels=3, num_classes=10, image_size=(32, 32))
    return CifarDenseNet(**(arguments | dict(depth=40, growth=12, first_width=16) | changes))


def test_parameter_count() -> None:
    assert counted(densenet) == 1_019_722


@pytest.mark.parametrize("depth", [7, 10, 40, 100])
def test_its_depth_is_its_number_of_layers_with_weights(depth: int) -> None:
    with torch.device("meta"):
        net = densenet(depth=depth)
    assert sum(isinstance(one, nn.Conv2d | nn.Linear) for one in net.modules()) == depth


def test_maps_of_each_block() -> None:
    names = [f"features.{part}" for part in ("block1", "transition1", "block2", "transition2", "block3")]
    assert list(meta_shapes(densenet, names, (3, 32, 32)).values()) == [
        (160, 32, 32),
        (160, 16, 16),
        (304, 16, 16),
        (304, 8, 8),
        (448, 8, 8),
    ]


def test_a_layer_sees_everything_before_it() -> None:
    torch.manual_seed(0)
    block, x = DenseBlock(3, layers=3, growth=2, dropout=None).eval(), torch.randn(2, 3, 5, 5)
    first = block.layers[0](x)
    second = block.layers[1](torch.cat([x, first], 1))
    third = block.layers[2](torch.cat([x, first, second], 1))
    assert torch.equal(block(x), torch.cat([x, first, second, third], 1))
    assert block.out_width == 9


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    learns(densenet(depth=10, dropout=0.2), torch.randn(8, 3, 8, 12))


@pytest.mark.parametrize(("depth", "nearest"), [(4, "7 and 10"), (39, "37 and 40"), (41, "40 and 43")])
def test_a_depth_that_is_not_3n_plus_4_is_refused(depth: int, nearest: str) -> None:
    with pytest.raises(InputError, match=rf"depth={depth}: must be 3n \+ 4; the nearest are {nearest}"):
        densenet(depth=depth)


def test_a_picture_that_cannot_be_halved_twice_is_refused() -> None:
    assert densenet(depth=7, image_size=(4, 4)).eval()(torch.randn(2, 3, 4, 4)).shape == (2, 10)
    with pytest.raises(InputError, match="at least 4 pixels"):
        densenet(image_size=(3, 3))
