"""In tiles and whole: the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnexp.models.dncnn import DnCNN
from cnnexp.models.edsr_small import EDSRSmall
from cnnexp.models.srcnn import SRCNN
from cnnexp.tasks.tiles import in_tiles

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
    factor, reach = net.factor, net.reach
    assert isinstance(factor, int) and isinstance(reach, int)
    picture = torch.rand(1, 3, 47, 71)
    whole = net(picture)
    tiled = in_tiles(net, picture, factor, reach, tile=17)
    assert tiled.shape == whole.shape
    assert (tiled - whole).abs().max() < 1e-5 * whole.abs().max().clamp(min=1)
    less = in_tiles(net, picture, factor, reach - 3, tile=17)
    assert (less - whole).abs().max() > 1e-5 * whole.abs().max(), "with less around a tile its seams are seen"


def test_no_tile_is_larger_than_asked_for() -> None:
    seen: list[tuple[int, ...]] = []

    def net(x: Tensor) -> Tensor:
        seen.append(tuple(x.shape[-2:]))
        return x

    picture = torch.rand(1, 1, 100, 60)
    assert torch.equal(in_tiles(net, picture, 1, 4, tile=32), picture)
    assert len(seen) == 4 * 2 and max(max(one) for one in seen) == 32 + 2 * 4
    seen.clear()
    in_tiles(net, picture, 1, None, tile=32)
    assert seen == [(100, 60)], "nobody knows how far it sees"
