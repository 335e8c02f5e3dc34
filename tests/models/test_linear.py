"""The one-layer net against its parameter count and the product written out."""

from __future__ import annotations

import torch

from cnnexp.models.linear import Linear


def test_has_7850_parameters_on_digits() -> None:
    net = Linear(in_channels=1, num_classes=10, image_size=(28, 28))
    assert sum(weights.numel() for weights in net.parameters()) == 7850


def test_it_is_a_product_with_the_pixels() -> None:
    net = Linear(in_channels=2, num_classes=3, image_size=(4, 5))
    x = torch.rand(6, 2, 4, 5)
    expected = torch.einsum("bchw,kchw->bk", x, net.linear.weight.view(3, 2, 4, 5)) + net.linear.bias
    torch.testing.assert_close(net(x), expected)
