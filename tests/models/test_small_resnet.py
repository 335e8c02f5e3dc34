"""The net with one shortcut."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.small_resnet import SmallResNet
from tests.models.made import counted, learns


def small_resnet(**changes: Any) -> SmallResNet:
    arguments: dict[str, Any] = dict(in_channels=1, num_classes=10, image_size=(28, 28), width=32, shortcut=True)
    return SmallResNet(**(arguments | changes))


def test_parameter_count() -> None:
    assert counted(small_resnet) == (9 * 32 + 32) + (32 * 9 * 32 + 32) + (14 * 14 * 32 * 10 + 10) == 72_298


@pytest.mark.parametrize("shortcut", [True, False])
def test_equals_the_formula(shortcut: bool) -> None:
    net, x = small_resnet(shortcut=shortcut, image_size=(9, 8)), torch.randn(2, 1, 9, 8)
    a = F.conv2d(x, net.conv1.weight, net.conv1.bias, padding=1).relu()
    b = F.conv2d(a, net.conv2.weight, net.conv2.bias, padding=1).relu()
    pooled = F.max_pool2d(a + b if shortcut else b, 2).flatten(1)
    torch.testing.assert_close(net(x), pooled @ net.head.weight.T + net.head.bias)


def test_a_residual_of_zero_leaves_exactly_what_came_in() -> None:
    net, pooled = small_resnet(), []
    nn.init.zeros_(net.conv2.weight)
    net.pool.register_forward_pre_hook(lambda _module, inputs: pooled.append(inputs[0]))
    x = torch.randn(2, 1, 28, 28)
    net(x)
    assert torch.equal(pooled[0], net.conv1(x).relu())


@pytest.mark.parametrize("shortcut", [True, False])
def test_every_weight_learns(shortcut: bool) -> None:
    torch.manual_seed(0)
    learns(small_resnet(shortcut=shortcut, width=4, dropout=0.1), torch.randn(8, 1, 28, 28))


def test_no_maps_and_a_single_pixel_are_refused() -> None:
    with pytest.raises(InputError, match=r"model.width=0"):
        small_resnet(width=0)
    with pytest.raises(InputError, match="at least 2 pixels"):
        small_resnet(image_size=(1, 9))


def test_a_hidden_layer_is_a_layer_more_and_none_is_as_before() -> None:
    torch.manual_seed(3)
    plain = small_resnet()
    torch.manual_seed(3)
    null, x = small_resnet(hidden=None), torch.randn(2, 1, 28, 28)
    assert [*null.state_dict()] == [
        f"{name}.{part}" for name in ("conv1", "conv2", "head") for part in ("weight", "bias")
    ]
    assert torch.equal(null(x), plain(x))
    net = small_resnet(hidden=64)
    assert counted(lambda: small_resnet(hidden=64)) == 320 + 9_248 + (14 * 14 * 32 * 64 + 64) + (64 * 10 + 10)
    pooled = F.max_pool2d((a := net.conv1(x).relu()) + net.conv2(a).relu(), 2).flatten(1)
    linear = net.hidden[0]
    units = (pooled @ linear.weight.T + linear.bias).relu()
    torch.testing.assert_close(net(x), units @ net.head.weight.T + net.head.bias)
    learns(small_resnet(hidden=8, width=4, dropout=0.1), torch.randn(8, 1, 28, 28))
    with pytest.raises(InputError, match=r"model.hidden=0: expected a whole number of at least 1"):
        small_resnet(hidden=0)
