"""Time of sliding a window over a picture: as one pass of convolutions, and as crops, interleaved in one process.

    OMP_NUM_THREADS=1 python benchmarks/windows.py

Both answer the same windows of a scene of 64x64 pixels at three scales; the crops go through the net as one batch for
each scale.
"""

from __future__ import annotations

import statistics

import torch
from interleaved import interleaved, ratio
from torch import Tensor

from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import net_for
from cnnexp.builders.facts import provisional_facts
from cnnexp.config.compose import compose_run
from cnnexp.models.window_lenet import STRIDE, WindowLeNet

REPEATS = 30


def shipped() -> WindowLeNet:
    """The net with its default settings."""
    config = compose_run(["model=window_lenet", "data=digit_scenes"])
    net = net_for(bind_run(config), provisional_facts(config), config)()
    assert isinstance(net, WindowLeNet)
    return net.eval()


def at_once(net: WindowLeNet, views: list[Tensor]) -> list[Tensor]:
    return [net(view).flatten(2) for view in views]


def one_by_one(net: WindowLeNet, views: list[Tensor]) -> list[Tensor]:
    found = []
    for view in views:
        crops = view.unfold(2, net.window, STRIDE).unfold(3, net.window, STRIDE)  # (1, C, rows, columns, side, side)
        batch = crops.permute(0, 2, 3, 1, 4, 5).reshape(-1, view.shape[1], net.window, net.window)
        found.append(net(batch)[..., 0, 0].T[None])
    return found


@torch.no_grad()
def main() -> None:
    torch.manual_seed(0)
    net, picture = shipped(), torch.randn(1, 1, 64, 64)
    views = [net.view(picture, scale).picture for scale in net.scales]
    answers = zip(at_once(net, views), one_by_one(net, views), strict=True)
    apart = max(float((whole - crops).abs().max()) for whole, crops in answers)
    whole, crops = interleaved(lambda: at_once(net, views), lambda: one_by_one(net, views), REPEATS)
    windows = sum(one.shape[-1] for one in at_once(net, views))
    print(f"{windows:,} windows, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(
        f"as convolutions {1000 * statistics.median(whole):.1f} ms, as crops {1000 * statistics.median(crops):.1f} ms"
    )
    print(f"{ratio(whole, crops):.1f} times as fast; the answers differ by {apart:.1e} at most")


if __name__ == "__main__":
    main()
