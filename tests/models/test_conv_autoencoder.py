"""The convolutional autoencoder: shapes, range, and a code that is all the decoder sees."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.models.conv_autoencoder import ConvAutoencoder


def autoencoder(**changes: Any) -> ConvAutoencoder:
    arguments = dict(in_channels=1, image_size=(28, 28), bottleneck=32, width=32)
    return ConvAutoencoder(**(arguments | changes))


def test_parameter_count_by_hand() -> None:
    encoder = 9 * 1 * 32 + 2 * 32 + 9 * 32 * 64 + 2 * 64 + (7 * 7 * 64 * 32 + 32)
    decoder = (32 * 7 * 7 * 64 + 7 * 7 * 64) + 2 * 64 + 9 * 64 * 32 + 2 * 32 + (9 * 32 * 1 + 1)
    assert sum(weights.numel() for weights in autoencoder().parameters()) == encoder + decoder


@pytest.mark.parametrize("size", [(28, 28), (32, 32), (64, 64), (37, 53), (8, 8), (1, 1), (15, 240)])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_comes_back(size: tuple[int, int], channels: int) -> None:
    net = autoencoder(image_size=size, in_channels=channels, bottleneck=5, width=4)
    pictures = torch.rand(2, channels, *size)
    code = net.encode(pictures)
    assert code.shape == (2, 5)
    assert net.decode(code).shape == pictures.shape


def test_maps_are_halved_until_the_longer_side_has_8_pixels_and_doubled_up_to_eight_times() -> None:
    net, shapes = autoencoder(image_size=(64, 128), width=2), []
    for module in net.encoder.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    net(torch.rand(2, 1, 64, 128))
    assert shapes == [(2, 32, 64), (4, 16, 32), (8, 8, 16), (16, 4, 8)]
    assert autoencoder(image_size=(512, 512), width=2).encoder[-3][0].out_channels == 16


def test_reconstructions_stay_in_the_range_of_pixels() -> None:
    decoded = autoencoder().decode(torch.randn(64, 32) * 100)
    assert decoded.min() >= 0 and decoded.max() <= 1
    assert decoded.min() < 0.1 and decoded.max() > 0.9


def test_a_tangent_at_the_end_is_a_sigmoid_of_twice_the_slope() -> None:
    torch.manual_seed(0)
    one, other, codes = autoencoder(), autoencoder(output="tanh"), torch.randn(8, 32) * 3
    other.load_state_dict(one.state_dict())
    before_the_end = one.decoder[:-1]
    torch.testing.assert_close(other.decode(codes), (2 * before_the_end(codes)).sigmoid())
    assert (other.decode(codes) - one.decode(codes)).abs().max() > 0.01


def test_forward_is_decode_of_encode() -> None:
    net, pictures = autoencoder().eval(), torch.rand(3, 1, 28, 28)
    assert torch.equal(net(pictures), net.decode(net.encode(pictures)))


def test_gradient_reaches_every_weight() -> None:
    net, pictures = autoencoder(), torch.rand(8, 1, 28, 28)
    (net(pictures) - pictures).square().mean().backward()
    assert all(weights.grad is not None and weights.grad.any() for weights in net.parameters())
