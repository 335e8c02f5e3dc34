from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnexp.models.lenet5 import LeNet5
from cnnexp.models.resnet_cifar import CifarResNet
from cnnexp.visualize.maps import Layer, Maps, layers_with_maps, spread


def test_lenet_has_its_convolutions_and_pools_with_their_strides() -> None:
    net = LeNet5(in_channels=1, num_classes=10, image_size=(28, 28), activation="relu", pooling="max").eval()
    assert layers_with_maps(net, torch.zeros(1, 1, 28, 28)) == [
        Layer("conv1", (1, 1), (28, 28)),
        Layer("pool1", (2, 2), (14, 14)),
        Layer("conv2", (2, 2), (10, 10)),
        Layer("pool2", (4, 4), (5, 5)),
    ]


def test_blocks_count_once_and_their_strides_multiply() -> None:
    net = CifarResNet(in_channels=3, num_classes=10, depth=8).eval()
    found = {layer.name: layer for layer in layers_with_maps(net, torch.zeros(1, 3, 32, 32))}
    assert found["layer3.0"] == Layer("layer3.0", (4, 4), (8, 8))
    assert found["layer2.0.conv1"].stride == (2, 2)
    assert found["layer2.0.shortcut"].stride == (2, 2)
    assert "layer3" not in found  # hands on what layer3.0 made
    assert "layer1.0.bn1" not in found and "linear" not in found


def test_what_follows_a_resampling_has_no_stride_and_is_left_out() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, (3, 1), stride=(3, 1)), nn.Upsample(scale_factor=2), nn.Conv2d(2, 2, 1))
    assert layers_with_maps(net, torch.zeros(1, 1, 12, 10)) == [Layer("0", (3, 1), (4, 10))]


def test_a_later_module_cannot_write_into_what_was_kept() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(inplace=True))
    torch.manual_seed(0)
    x = torch.randn(1, 1, 4, 4)
    with Maps(net, ["0"]) as maps:
        net(x)
        assert torch.equal(maps["0"], net[0](x).detach())
        assert (maps["0"] < 0).any()
    kept: Tensor = maps["0"]
    net(2 * x)
    assert maps["0"] is kept  # closed: nothing is kept any more


def test_some_layers_over_the_depth() -> None:
    layers = [Layer(str(number), (1, 1), (2, 2)) for number in range(30)]
    chosen = [int(layer.name) for layer in spread(layers, 5)]
    assert chosen == [0, 7, 14, 22, 29]
    assert spread(layers[:3], 5) == layers[:3]
