"""LeNet-5 against the paper's table of layers, in its modern form."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.models.lenet5 import LeNet5

LAYER_PARAMETERS = {"conv1": 156, "conv2": 2_416, "fc1": 48_120, "fc2": 10_164, "fc3": 850}
ACTIVATION_SIZES = {"pad": 1_024, "conv1": 4_704, "pool1": 1_176, "conv2": 1_600, "pool2": 400, "fc1": 120, "fc2": 84}


def lenet5(**changes: Any) -> LeNet5:
    arguments = dict(in_channels=1, num_classes=10, image_size=(28, 28), activation="relu", pooling="max")
    return LeNet5(**(arguments | changes))


def parameters(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


@pytest.mark.parametrize("image_size", [(28, 28), (32, 32)])
def test_has_61706_parameters_layer_by_layer(image_size: tuple[int, int]) -> None:
    net = lenet5(image_size=image_size)
    assert parameters(net) == 61_706
    assert {name: parameters(net.get_submodule(name)) for name in LAYER_PARAMETERS} == LAYER_PARAMETERS


def test_activation_sizes_are_those_of_the_table() -> None:
    net = lenet5()
    sizes: dict[str, int] = {}
    for name in ACTIVATION_SIZES:
        net.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: sizes.__setitem__(name, output[0].numel())
        )
    assert net(torch.rand(2, 1, 28, 28)).shape == (2, 10)
    assert sizes == ACTIVATION_SIZES


def test_a_28_pixel_picture_counts_as_the_32_pixel_one_with_its_edge_repeated() -> None:
    picture = torch.rand(2, 1, 28, 28)
    small, large = lenet5(), lenet5(image_size=(32, 32))
    large.load_state_dict(small.state_dict())
    padded = picture[:, :, torch.arange(-2, 30).clamp(0, 27)][:, :, :, torch.arange(-2, 30).clamp(0, 27)]
    torch.testing.assert_close(small(picture), large(padded))


@pytest.mark.parametrize(("image_size", "numbers"), [((64, 64), 16 * 13 * 13), ((30, 45), 16 * 5 * 8), ((9, 28), 400)])
def test_other_sizes_change_only_the_first_dense_layer(image_size: tuple[int, int], numbers: int) -> None:
    net = lenet5(image_size=image_size, in_channels=3, num_classes=7)
    assert net.fc1.in_features == numbers
    assert net(torch.rand(2, 3, *image_size)).shape == (2, 7)


@pytest.mark.parametrize(
    ("activation", "function"), [("relu", F.relu), ("tanh", torch.tanh), ("sigmoid", torch.sigmoid)]
)
@pytest.mark.parametrize(("pooling", "pool"), [("max", F.max_pool2d), ("average", F.avg_pool2d)])
def test_equals_the_formula(activation: str, function: Any, pooling: str, pool: Any) -> None:
    net = lenet5(image_size=(32, 32), activation=activation, pooling=pooling)
    picture = torch.randn(3, 1, 32, 32)
    x: Tensor = pool(function(F.conv2d(picture, net.conv1.weight, net.conv1.bias)), 2)
    x = pool(function(F.conv2d(x, net.conv2.weight, net.conv2.bias)), 2).reshape(3, 400)
    x = function(x @ net.fc1.weight.T + net.fc1.bias)
    x = function(x @ net.fc2.weight.T + net.fc2.bias)
    torch.testing.assert_close(net(picture), x @ net.fc3.weight.T + net.fc3.bias)


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    net, picture = lenet5(dropout=0.5), torch.rand(2, 1, 28, 28)
    assert not torch.equal(net.train()(picture), net(picture))
    assert torch.equal(net.eval()(picture), net(picture))
    without = lenet5()
    without.load_state_dict(net.state_dict())
    assert torch.equal(net(picture), without(picture))


def test_no_dropout_is_the_same_in_training_and_evaluation() -> None:
    net, picture = lenet5(), torch.rand(2, 1, 28, 28)
    assert torch.equal(net.train()(picture), net.eval()(picture))
