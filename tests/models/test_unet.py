"""U-Net: the paper's count, any picture size, and the order of the skips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.errors import InputError
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


def paper(**changes: Any) -> UNet:
    return unet(**(dict(num_classes=2, width=64, depth=4, norm="none", padding="valid") | changes))


def test_valid_convolutions_make_388_of_572_with_the_sizes_of_figure_1() -> None:
    """Behind each pair of convolutions and each up-convolution, as the figure has them."""
    sizes: list[int] = []
    with torch.device("meta"):
        net = paper(borders="none")
        for block in [*net.down, *(layer for pair in zip(net.up, net.merge, strict=True) for layer in pair)]:
            block.register_forward_hook(lambda _module, _given, maps: sizes.append(maps.shape[-1]))
        answer = net(torch.zeros(1, 1, 572, 572))
    assert answer.shape == (1, 2, 388, 388)
    assert sizes == [568, 280, 136, 64, 28, 56, 52, 104, 100, 200, 196, 392, 388]
    assert sum(weights.numel() for weights in net.parameters()) == 31_030_658
    assert net.shrinks_px == 92


@pytest.mark.parametrize("skips", ["concatenation", "sum"])
def test_a_valid_net_is_the_padded_one_far_from_borders(skips: str) -> None:
    """Zeros around the maps are seen from 44 pixels and the poolings' blocks away; the rest is one and the same."""
    valid, same = (unet(depth=3, norm="none", skips=skips, padding=one) for one in ("valid", "same"))
    same.load_state_dict(valid.state_dict())
    picture = torch.randn(1, 1, 136, 120)
    # a margin of 44, less 2 + 4 + 8 pixels that convolutions take before the last pooling: its blocks begin at -30
    shifted = F.pad(picture, (30, 2, 30, 2), mode="reflect")
    expected = same(shifted)[..., 30:-2, 30:-2]
    inside = (slice(None), slice(None), slice(48, 88), slice(48, 72))
    torch.testing.assert_close(valid(picture)[inside], expected[inside], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(valid(picture), expected, atol=1e-3), "the borders differ"


@pytest.mark.parametrize("size", [(64, 64), (37, 51), (1, 3), (100, 4), (5, 128)])
def test_mirrored_borders_are_those_of_a_larger_picture(size: tuple[int, int]) -> None:
    net = unet(depth=2, padding="valid").eval()
    whole, picture = unet(depth=2, padding="valid", borders="none").eval(), torch.randn(2, 1, *size)
    whole.load_state_dict(net.state_dict())
    margin, behind = net.shrinks_px + 20, [20 + (-side) % 4 + 4 for side in size]
    assert (net.margin, margin, whole.shrinks_px) == (20, 20, 20)
    larger = np.pad(picture.numpy(), ((0, 0), (0, 0), (20, behind[0]), (20, behind[1])), mode="reflect")
    expected = whole(torch.from_numpy(larger))[:, :, : size[0], : size[1]]
    torch.testing.assert_close(net(picture), expected)


def test_what_valid_convolutions_do_not_take_is_refused() -> None:
    net = paper(width=1, borders="none")
    with pytest.raises(InputError, match=r"take sides of 188, 204, 220 and so on; .* data.image_size=\[572,188\]"):
        net(torch.zeros(1, 1, 560, 100))
    assert net(torch.zeros(1, 1, 188, 204)).shape[-2:] == (4, 20)
    with pytest.raises(InputError, match=r"model.borders=none: padded convolutions"):
        unet(borders="none")


@pytest.mark.parametrize(("padding", "depth"), [("same", 1), ("same", 3), ("valid", 1), ("valid", 2), ("valid", 3)])
def test_no_answer_depends_on_what_is_out_of_reach(padding: str, depth: int) -> None:
    """What is no number spoils all that it is seen by."""
    net = unet(depth=depth, padding=padding, norm="none", width=2)
    block, reach = net.aligned, net.reach
    start = -(-(reach + block) // block) * block
    for first, last in ((None, start - reach), (start + block + reach, None)):
        picture = torch.randn(1, 1, 2 * start + 2 * block, 4)
        picture[:, :, first:last] = torch.nan
        assert net(picture)[:, :, start : start + block].isfinite().all()
    picture = torch.randn(1, 1, 2 * start + 2 * block, 4)
    picture[:, :, : start - reach + 12] = torch.nan
    assert net(picture)[:, :, start : start + block].isnan().any(), "the reach is no larger than it needs to be"
