"""First weights have the variances of the papers, and no class is favoured."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from cnnexp.models.activations import SATURATING, Activation
from cnnexp.models.initialisation import glorot_init, he_init, init_for

LAYERS = {
    "linear": (lambda: nn.Linear(300, 200), 300, 200),
    "conv1d": (lambda: nn.Conv1d(40, 50, 5), 40 * 5, 50 * 5),
    "conv2d": (lambda: nn.Conv2d(30, 40, 3), 30 * 9, 40 * 9),
    "grouped": (lambda: nn.Conv2d(64, 128, 3, groups=2), 32 * 9, 128 * 9),
}
"""A layer, and its fan-in and fan-out."""


def made(name: str) -> tuple[nn.Module, int, int]:
    make, fan_in, fan_out = LAYERS[name]
    torch.manual_seed(0)
    layer = make()
    nn.init.constant_(layer.bias, 7.0)
    return layer, fan_in, fan_out


def assert_normal(weight: Tensor, std: float) -> None:
    assert float(weight.std()) == pytest.approx(std, rel=0.03)
    assert abs(float(weight.mean())) < 0.03 * std
    assert float(weight.abs().max()) > 3 * std, "a uniform one ends at 1.7"


@pytest.mark.parametrize("name", LAYERS)
def test_he_is_normal_with_two_over_fan_in(name: str) -> None:
    layer, fan_in, _ = made(name)
    layer.apply(he_init)
    assert_normal(layer.weight.detach(), math.sqrt(2 / fan_in))
    assert not layer.bias.any()


@pytest.mark.parametrize("name", ["linear", "conv1d", "conv2d"])
def test_glorot_is_uniform_with_two_over_both_fans(name: str) -> None:
    layer, fan_in, fan_out = made(name)
    layer.apply(glorot_init)
    limit = math.sqrt(6 / (fan_in + fan_out))
    assert 0.98 * limit < float(layer.weight.detach().abs().max()) <= limit
    assert float(layer.weight.detach().std()) == pytest.approx(limit / math.sqrt(3), rel=0.02)
    assert not layer.bias.any()


@pytest.mark.parametrize("fill", [he_init, glorot_init])
def test_all_else_stays_as_it_is_and_a_bias_may_be_missing(fill: object) -> None:
    net = nn.Sequential(nn.BatchNorm2d(3), nn.PReLU(3), nn.Embedding(4, 3), nn.Conv2d(3, 3, 3, bias=False))
    before = [one.clone() for one in net[:3].parameters()]
    net.apply(fill)  # type: ignore[arg-type]
    assert all(torch.equal(one, was) for one, was in zip(net[:3].parameters(), before, strict=True))
    assert net[3].bias is None


@pytest.mark.parametrize("activation", get_args(Activation))
def test_a_net_is_filled_as_its_activation_wants_it(activation: Activation) -> None:
    torch.manual_seed(0)
    body, head = nn.Linear(300, 200), nn.Linear(200, 100)
    net = nn.Sequential(body, head)
    init_for(net, head, activation)
    variance = float(body.weight.detach().var())
    expected = 2 / 500 if activation in SATURATING else 1 / 300 if activation == "maxout" else 2 / 300
    assert variance == pytest.approx(expected, rel=0.03)
    assert_normal(head.weight.detach(), 0.01)
    assert not body.bias.any() and not head.bias.any()


def test_the_first_loss_is_the_logarithm_of_the_number_of_classes() -> None:
    torch.manual_seed(0)
    head = nn.Linear(64, 10)
    net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), head)
    init_for(net, head, "relu")
    loss = nn.functional.cross_entropy(net(torch.randn(256, 32)), torch.randint(10, (256,)))
    assert float(loss.detach()) == pytest.approx(math.log(10), rel=0.02)
