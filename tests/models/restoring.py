"""What tests of nets that restore pictures ask of them."""

from __future__ import annotations

import torch
from torch import nn


def seen_px(net: nn.Module, side: int = 61) -> int:
    """How many pixels to each side the answers for the middle pixel depend on, by gradients."""
    net = net.double().eval()
    for weights in net.parameters():
        nn.init.uniform_(weights, 0.01, 0.1)  # nothing cancels, and every ReLU is open
    picture = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    factor, middle = net.factor, side // 2
    assert isinstance(factor, int)
    block = slice(factor * middle, factor * (middle + 1))
    net(picture)[0, 0, block, block].sum().backward()
    assert picture.grad is not None
    places = picture.grad[0, 0].nonzero()
    return int((places - middle).abs().max())
