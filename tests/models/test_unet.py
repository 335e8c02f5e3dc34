"""U-Net: the paper's count, any picture size, and the order of the skips."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.models.unet import UNet


def unet(**changes: Any) -> UNet:
    arguments = dict(in_channels=1, num_classes=3, width=4, depth=2, norm="batch")
    return UNet(**(arguments | changes))


def test_the_papers_net_has_31_million_parameters() -> None:
    with torch.device("meta"):
        net = unet(num_classes=2, width=64, depth=4, norm="none")
    assert sum(weights.numel() for weights in net.parameters()) == 31_030_658
    convolutions = [module for module in net.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convolutions) == 23  # "in total the network has 23 convolutional layers"


@pytest.mark.parametrize("size", [(64, 64), (16, 40), (37, 51), (1, 1), (5, 128)])
def test_every_size_passes(size: tuple[int, int]) -> None:
    assert unet(depth=3, in_channels=3)(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_padding_repeats_the_last_row_and_column() -> None:
    net, picture = unet().eval(), torch.rand(1, 1, 7, 10)
    padded = picture[:, :, torch.arange(8).clamp(max=6)][:, :, :, torch.arange(12).clamp(max=9)]
    torch.testing.assert_close(net(picture), net(padded)[:, :, :7, :10])


def test_summed_skips_halve_the_inputs_behind_them() -> None:
    """For each level of m maps 3·3·2m·m weights become 3·3·m·m."""
    with torch.device("meta"):
        net = unet(num_classes=2, width=64, depth=4, norm="none", skips="sum")
    saved = 9 * (64**2 + 128**2 + 256**2 + 512**2)
    assert sum(weights.numel() for weights in net.parameters()) == 31_030_658 - saved == 27_897_218


@pytest.mark.parametrize(("skips", "inputs"), [("concatenation", 8), ("sum", 4)])
def test_every_weight_of_a_small_net(skips: str, inputs: int) -> None:
    """Width 4, depth 1, one channel, three classes, by hand."""
    down = (9 * 1 * 4 + 4) + (9 * 4 * 4 + 4) + (9 * 4 * 8 + 8) + (9 * 8 * 8 + 8)
    up = 2 * 2 * 8 * 4 + 4
    merge = (9 * inputs * 4 + 4) + (9 * 4 * 4 + 4)
    head = 4 * 3 + 3
    net = unet(depth=1, norm="none", skips=skips)
    assert sum(weights.numel() for weights in net.parameters()) == down + up + merge + head


@pytest.mark.parametrize("skips", ["concatenation", "sum"])
def test_equals_the_formula_at_depth_one(skips: str) -> None:
    net, picture = unet(depth=1, norm="none", skips=skips), torch.randn(2, 1, 6, 8)

    def twice(block: nn.Module, x: Tensor) -> Tensor:
        for layer in block.modules():
            if isinstance(layer, nn.Conv2d):
                x = F.relu(F.conv2d(x, layer.weight, layer.bias, padding=1))
        return x

    skip = twice(net.down[0], picture)
    bottom = twice(net.down[1], F.max_pool2d(skip, 2))
    raised = F.conv_transpose2d(bottom, net.up[0].weight, net.up[0].bias, stride=2)
    merged = twice(net.merge[0], skip + raised if skips == "sum" else torch.cat([skip, raised], dim=1))
    torch.testing.assert_close(net(picture), F.conv2d(merged, net.head.weight, net.head.bias))


@pytest.mark.parametrize(("norm", "norms", "biases"), [("batch", 10, 0), ("none", 0, 10)])
def test_norm_takes_the_place_of_the_bias(norm: str, norms: int, biases: int) -> None:
    net = unet(norm=norm)
    assert sum(isinstance(module, nn.BatchNorm2d) for module in net.modules()) == norms
    convolutions = [module for module in net.modules() if isinstance(module, nn.Conv2d) and module is not net.head]
    assert sum(module.bias is not None for module in convolutions) == biases


def test_dropout_acts_at_the_bottleneck_in_training_only() -> None:
    torch.manual_seed(0)
    net, picture = unet(norm="none", dropout=0.5, width=8), torch.rand(1, 1, 16, 16)
    bottoms = []
    net.drop.register_forward_hook(lambda _module, _inputs, output: bottoms.append(output))
    net.train()(picture)
    dropped = (bottoms[0] == 0).all(dim=(2, 3)).float().mean()
    assert bottoms[0].shape == (1, 32, 4, 4) and 0.2 < dropped < 0.8  # whole maps, about half of them
    assert torch.equal(net.eval()(picture), net(picture))
    without = unet(norm="none", width=8)
    without.load_state_dict(net.state_dict())
    assert torch.equal(net(picture), without.train()(picture))
