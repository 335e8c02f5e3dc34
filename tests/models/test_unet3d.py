"""3D U-Net: the paper's count, any size of volume, and a slice of it against the 2-D U-Net."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.unet import UNet
from cnnexp.models.unet3d import UNet3d


def unet3d(**changes: Any) -> UNet3d:
    arguments = dict(in_channels=1, num_classes=3, width=2, depth=2, norm="batch")
    return UNet3d(**(arguments | changes))


def test_the_papers_net_has_19_million_parameters() -> None:
    """ "The network has 19069955 parameters in total", which are those of the convolutions, less the biases of the
    up-convolutions: three channels in, three classes, by hand for each pair of numbers of maps."""
    with torch.device("meta"):
        net = unet3d(in_channels=3, width=32, depth=3, norm="none")
    pairs = [(3, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]
    pairs += [(256 + 512, 256), (256, 256), (128 + 256, 128), (128, 128), (64 + 128, 64), (64, 64)]
    by_hand = sum(27 * before * after + after for before, after in pairs)
    by_hand += sum(8 * maps * maps for maps in (512, 256, 128)) + 64 * 3 + 3
    raising = sum(module.bias.numel() for module in net.up)
    counted = sum(weights.numel() for weights in net.parameters()) - raising
    assert (counted, raising) == (by_hand, 896) == (19_069_955, 896)


def test_batch_norm_stands_where_the_biases_were() -> None:
    """A scale and a shift for each map in place of its bias; the paper's number leaves them out."""
    with torch.device("meta"):
        plain, normed = (unet3d(norm=norm) for norm in ("none", "batch"))
    biases = sum(m.bias.numel() for m in plain.modules() if isinstance(m, nn.Conv3d) and m is not plain.head)
    difference = [sum(weights.numel() for weights in net.parameters()) for net in (normed, plain)]
    assert difference[0] - difference[1] == biases
    assert not any(m.bias is not None for m in normed.modules() if isinstance(m, nn.Conv3d) and m is not normed.head)


@pytest.mark.parametrize("size", [(8, 8, 8), (1, 1, 1), (5, 9, 14)])
@pytest.mark.parametrize("pool", [(2, 2, 2), (1, 2, 2), ((1, 2, 2), (2, 2, 2))])
def test_every_size_passes(size: tuple[int, int, int], pool: Any) -> None:
    assert unet3d(pool=pool)(torch.rand(2, 1, *size)).shape == (2, 3, *size)


def test_padding_repeats_the_last_voxels() -> None:
    net, volume = unet3d(depth=1, pool=(1, 2, 2)).eval(), torch.rand(1, 1, 3, 5, 6)
    padded = volume[..., torch.arange(6).clamp(max=4), :]
    torch.testing.assert_close(net(volume), net(padded)[..., :5, :])


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_slice_is_what_the_2d_net_says_of_it(norm: Any) -> None:
    """Pooled within slices only, with kernels of which the middle slice alone is not zero, and the maps doubling where
    the 2-D net doubles them: each slice of a volume goes its way alone."""
    torch.manual_seed(0)
    deep = unet3d(width=4, pool=(1, 2, 2), norm=norm, doubling="after_pooling").eval()
    flat = UNet(in_channels=1, num_classes=3, width=4, depth=2, norm=norm).eval()
    state = flat.state_dict()
    assert list(state) == list(deep.state_dict())
    for name, weights in deep.state_dict().items():
        if weights.ndim != 5:
            weights.copy_(state[name])
            continue
        weights.zero_()
        weights[:, :, weights.shape[2] // 2] = state[name]
    volume = torch.randn(1, 1, 3, 12, 20)
    with torch.no_grad():
        slices = torch.stack([flat(volume[:, :, place]) for place in range(3)], 2)
        torch.testing.assert_close(deep(volume), slices, atol=1e-5, rtol=1e-5)


def test_slices_see_each_other() -> None:
    net, volume = unet3d(norm="none"), torch.rand(1, 1, 8, 8, 8)
    changed = volume.clone()
    changed[:, :, 0] += 1
    with torch.no_grad():
        assert (net(volume) != net(changed))[:, :, 4].any()


def test_a_volume_alone_is_normed_by_instance() -> None:
    net = unet3d(norm="instance").train()
    first, second = torch.rand(2, 1, 1, 8, 8, 8)
    with torch.no_grad():
        together = net(torch.cat([first, second]))
        torch.testing.assert_close(together, torch.cat([net(first), net(second)]))


@pytest.mark.parametrize("pool", [(2, 2), ((1, 2, 2),), ((1, 2), (1, 2)), (1, 2, 0), ()])
def test_poolings_that_are_none_are_refused_in_one_line(pool: Any) -> None:
    with pytest.raises(InputError, match=r"^model\.pool=.*: expected numbers along depth") as error:
        unet3d(pool=pool)
    assert len(error.value.lines) == 1


@pytest.mark.parametrize("steps", [(2,), (2, 2), (2, 2, 2), (1, 2), (3, 2)])
def test_how_far_a_block_sees_along_an_axis(steps: tuple[int, ...]) -> None:
    """What is no number spoils all that sees it: the pixel at the end of the reach, and none beyond."""
    pool = tuple((1, 1, step) for step in steps)
    net = unet3d(depth=len(steps), pool=pool, norm="none", width=1)
    assert net.reach is not None
    block, reach = net.aligned[2], net.reach[2]
    start = -(-(reach + 2) // block) * block
    for far, spoiled in ((reach, True), (reach + 1, False)):
        volume = torch.randn(1, 1, 1, 1, 2 * start + block)
        volume[..., start - far] = torch.nan
        assert net(volume)[..., start : start + block].isnan().any() == spoiled
        volume[..., start - far] = 0
        volume[..., start + block - 1 + far] = torch.nan
        assert net(volume)[..., start : start + block].isnan().any() == spoiled
