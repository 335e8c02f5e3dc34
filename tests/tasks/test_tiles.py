"""In tiles and whole: the same where a net's sight is known, without a seam where it is not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnexp.models.dncnn import DnCNN
from cnnexp.models.edsr_small import EDSRSmall
from cnnexp.models.srcnn import SRCNN
from cnnexp.models.unet import UNet
from cnnexp.models.unet3d import UNet3d
from cnnexp.tasks.tiles import Sight, _stretches, in_tiles, is_larger, sight_of

NETS = {
    "dncnn": DnCNN(in_channels=3, depth=5, width=6),
    "dncnn, enlarging": DnCNN(in_channels=3, depth=5, width=6, factor=3),
    "srcnn": SRCNN(in_channels=3, factor=2, widths=(6, 4)),
    "edsr": EDSRSmall(in_channels=3, factor=4, width=6, blocks=2),
    "edsr, restoring": EDSRSmall(in_channels=3, width=6, blocks=2),
}


@pytest.mark.parametrize("name", NETS)
@torch.no_grad()
def test_in_tiles_is_in_one_pass(name: str) -> None:
    net = NETS[name].eval()
    for weights in net.parameters():
        nn.init.normal_(weights, std=0.2)
    factor, sight = net.factor, sight_of(net, 2)
    assert isinstance(factor, int) and sight is not None
    picture = torch.rand(1, 3, 47, 71)
    whole = net(picture)
    tiled = in_tiles(net, picture, sight, factor=factor, tile=17)
    assert tiled.shape == whole.shape
    assert (tiled - whole).abs().max() < 1e-5 * whole.abs().max().clamp(min=1)
    nearer = Sight((sight.reach[0] - 3,) * 2, sight.aligned)
    less = in_tiles(net, picture, nearer, factor=factor, tile=17)
    assert (less - whole).abs().max() > 1e-5 * whole.abs().max(), "with less around a tile its seams are seen"


def test_no_tile_is_larger_than_asked_for() -> None:
    seen: list[tuple[int, ...]] = []

    def net(x: Tensor) -> Tensor:
        seen.append(tuple(x.shape[-2:]))
        return x

    picture = torch.rand(1, 1, 100, 60)
    assert torch.equal(in_tiles(net, picture, Sight((4, 4), (1, 1)), tile=32), picture)
    assert len(seen) == 4 * 2 and max(max(one) for one in seen) == 32 + 2 * 4
    seen.clear()
    in_tiles(net, picture, None, tile=32)
    assert seen == [(100, 60)], "nobody knows how far it sees"


UNETS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "padded": (UNet(in_channels=1, num_classes=3, width=2, depth=2, norm="batch"), (11, 75)),
    "valid": (UNet(in_channels=1, num_classes=3, width=2, depth=2, norm="none", padding="valid"), (5, 75)),
    "volumes": (UNet3d(in_channels=1, num_classes=3, width=2, depth=1, norm="batch"), (3, 4, 41)),
    "thick slices": (
        UNet3d(in_channels=1, num_classes=3, width=2, depth=2, pool=((1, 2, 2), (1, 2, 2)), norm="none"),
        (25, 3, 4),
    ),
}


@pytest.mark.parametrize("name", UNETS)
@torch.no_grad()
def test_tiles_of_a_unet_begin_where_its_poolings_do(name: str) -> None:
    net, size = UNETS[name]
    net.eval()
    x, sight = torch.randn(1, 1, *size), sight_of(net, len(size))
    assert sight is not None
    whole = net(x)
    tiled = in_tiles(net, x, sight, tile=10)
    assert (tiled - whole).abs().max() < 1e-5 * whole.abs().max().clamp(min=1)
    if name != "thick slices":  # cut along the axis that is not pooled
        unaligned = in_tiles(net, x, Sight(sight.reach, (1,) * len(size)), tile=9)
        assert (unaligned - whole).abs().max() > 1e-3 * whole.abs().max(), "elsewhere it pools other blocks"


def test_of_a_net_that_looks_at_everything_nobody_knows_a_reach() -> None:
    net = UNet3d(in_channels=1, num_classes=2, width=2, depth=1, norm="instance")
    assert sight_of(net, 3) is None and sight_of(nn.Conv2d(1, 1, 3), 2) is None


def _probabilities(logits: Tensor) -> Tensor:
    return logits.softmax(1)


@torch.no_grad()
def blended(net: nn.Module, x: Tensor, size: tuple[int, ...]) -> Tensor:
    return in_tiles(net, x, None, size=size, said=_probabilities)


class Kept(nn.Module):
    """Answers of a net, the largest of its differences kept."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.sizes = net, []

    def forward(self, x: Tensor) -> Tensor:
        self.sizes.append(tuple(x.shape[2:]))
        return self.net(x)


@pytest.mark.parametrize(("size", "whole"), [((16, 16, 16), (16, 30, 41)), ((16, 16), (37, 50))])
def test_a_net_that_sees_two_voxels_far_answers_as_in_one_pass(size: tuple[int, ...], whole: tuple[int, ...]) -> None:
    """Two convolutions see two voxels to each side, and of a tile of 16 the rim is two."""
    torch.manual_seed(0)
    layer = nn.Conv3d if len(size) == 3 else nn.Conv2d
    net = Kept(nn.Sequential(layer(1, 6, 3, padding=1), nn.Tanh(), layer(6, 4, 3, padding=1)))
    x = torch.randn(2, 1, *whole)
    with torch.no_grad():
        logits = net.net(x)
    torch.testing.assert_close(blended(net, x, size), logits.softmax(1))
    assert len(net.sizes) > 4 and all(a <= b for one in net.sizes for a, b in zip(one, size, strict=True))


def test_the_probabilities_have_no_seam() -> None:
    """Along a constant volume an answer that depends on the place in a tile would step where tiles meet; weights that
    fall to 0 at the inner edges let nothing jump."""

    class Ramp(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            place = torch.linspace(-3, 3, x.shape[-1]).expand(x.shape[0], *x.shape[2:])
            return torch.stack([place, -place], 1)

    first = blended(Ramp(), torch.zeros(1, 1, 2, 2, 160), (2, 2, 32))[0, 0, 0, 0]
    alone = torch.linspace(-3, 3, 32).mul(2).sigmoid()
    inside = first[24:136].diff().abs().max()
    assert inside < 2.5 * alone.diff().abs().max(), "no step is far beyond what a tile itself has"
    assert inside < 0.3


def test_tiles_of_a_pooling_net_agree_with_one_pass() -> None:
    torch.manual_seed(0)
    net = UNet3d(in_channels=1, num_classes=2, width=3, depth=1, norm="none").eval()
    x = torch.nn.functional.avg_pool3d(torch.randn(1, 1, 40, 40, 70), 3, 1, 1)
    with torch.no_grad():
        whole = net(x).argmax(1)
    assert (blended(net, x, (32, 32, 32)).argmax(1) == whole).float().mean() > 0.995


@pytest.mark.parametrize(
    ("length", "size", "tiles"),
    [
        (20, 24, [(0, 20)]),
        (24, 24, [(0, 24)]),
        (25, 24, [(0, 24), (8, 25)]),
        (40, 24, [(0, 24), (8, 32), (16, 40)]),
        (100, 64, [(0, 64), (32, 96), (64, 100)]),
        (9, 4, [(0, 4), (2, 6), (4, 8), (6, 9)]),
        (3, 1, [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_tiles_cover_an_axis_and_begin_where_poolings_do(length: int, size: int, tiles: list[tuple[int, int]]) -> None:
    assert _stretches(length, size) == tiles


def test_what_is_no_larger_is_not_cut() -> None:
    assert not is_larger(torch.zeros(1, 1, 3, 4, 5), (3, 4, 5))
    assert is_larger(torch.zeros(1, 1, 3, 4, 6), (3, 4, 5))
