"""The multilayer perceptron: its counts by hand, its formula, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.mlp import MLP
from tests.models.made import counted, learns, parameters


def mlp(**changes: Any) -> MLP:
    arguments: dict[str, Any] = dict(in_channels=1, num_classes=10, image_size=(28, 28), hidden=(256, 128))
    arguments |= dict(activation="relu", leaky_slope=None, norm="none")
    return MLP(**(arguments | changes))


def test_parameter_count() -> None:
    assert counted(mlp) == (784 + 1) * 256 + 257 * 128 + 129 * 10 == 235_146


def test_a_unit_costs_120000_weights_on_a_large_colour_picture() -> None:
    def of(units: int) -> int:
        return counted(lambda: mlp(in_channels=3, image_size=(200, 200), hidden=(units,)))

    assert of(2) - of(1) == 120_000 + 1 + 10  # its weights, its bias, and what the ten classes take of it


def test_without_hidden_layers_it_is_softmax_regression() -> None:
    net, picture = mlp(hidden=()), torch.randn(2, 1, 28, 28)
    assert parameters(net) == 7_850
    torch.testing.assert_close(net(picture), picture.flatten(1) @ net.head.weight.T + net.head.bias)


@pytest.mark.parametrize(
    ("activation", "function"), [("relu", torch.relu), ("tanh", torch.tanh), ("sigmoid", torch.sigmoid)]
)
def test_equals_the_formula(activation: str, function: Any) -> None:
    net, picture = mlp(activation=activation, hidden=(5,)), torch.randn(3, 1, 28, 28)
    first = net.hidden[0]
    assert isinstance(first, nn.Linear)
    hidden = function(picture.flatten(1) @ first.weight.T + first.bias)
    torch.testing.assert_close(net(picture), hidden @ net.head.weight.T + net.head.bias)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "leaky_relu", "prelu", "elu", "maxout"])
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_every_weight_learns(activation: str, norm: str) -> None:
    torch.manual_seed(0)
    learns(mlp(activation=activation, norm=norm, hidden=(16, 8), dropout=0.2), torch.randn(16, 1, 28, 28))


def test_maxout_takes_two_units_for_one() -> None:
    assert counted(lambda: mlp(activation="maxout")) == 785 * 512 + 257 * 256 + 129 * 10


def test_no_units_and_a_slope_that_nothing_reads_are_refused() -> None:
    with pytest.raises(InputError, match=r"model.hidden=\[64,0\]: expected whole numbers of at least 1"):
        mlp(hidden=(64, 0))
    with pytest.raises(InputError, match=r"model.leaky_slope=0.1: model.activation=relu has none"):
        mlp(leaky_slope=0.1)
