"""Tiles against one pass: equal where a net sees no farther than a tile's rim, without a seam where it does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnexp.models.unet3d import UNet3d
from cnnexp.tasks.overlapping_tiles import _stretches, is_larger, tiled_classes


class Kept(nn.Module):
    """Answers of a net, the largest of its differences kept."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.sizes = net, []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
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
    said = tiled_classes(net, x, size)
    sure = logits.softmax(1).topk(2, 1).values.diff(dim=1).abs()[:, 0] > 1e-5
    assert sure.float().mean() > 0.999
    assert torch.equal(said[sure], logits.argmax(1)[sure])
    assert len(net.sizes) > 4 and all(a <= b for one in net.sizes for a, b in zip(one, size, strict=True))


def test_the_probabilities_have_no_seam() -> None:
    """Along a constant volume an answer that depends on the place in a tile would step where tiles meet; weights that
    fall to 0 at the inner edges let nothing jump."""

    class Ramp(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            place = torch.linspace(-3, 3, x.shape[-1]).expand(x.shape[0], *x.shape[2:])
            return torch.stack([place, -place], 1)

    seen: list[torch.Tensor] = []

    def kept(self: torch.Tensor, *args: int) -> torch.Tensor:
        seen.append(self)
        return torch.max(self, 1).indices

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "argmax", kept)
        tiled_classes(Ramp(), torch.zeros(1, 1, 2, 2, 160), (2, 2, 32))
    first = seen[0][0, 0, 0, 0]
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
    assert (tiled_classes(net, x, (32, 32, 32)) == whole).float().mean() > 0.995


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
