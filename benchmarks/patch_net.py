"""Time of a class for every pixel by the patch net: as one pass of convolutions, and window by window.

    OMP_NUM_THREADS=1 python benchmarks/patch_net.py [SIDE]

Window by window on a part of the picture's rows only, as many windows as 4 rows have; its time is that of 4 rows times
as many as there are. Both answer the same pixels of those rows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import net_for
from cnnexp.builders.facts import provisional_facts
from cnnexp.config.compose import compose_run
from cnnexp.models.mirrored import mirrored
from cnnexp.models.patch_net import PatchNet

ROWS = 4


def shipped(side: int) -> PatchNet:
    """The net with its default settings."""
    config = compose_run(["model=patch_net", "data=isbi_em", f"data.image_size=[{side},{side}]"])
    net = net_for(bind_run(config), provisional_facts(config), config)()
    assert isinstance(net, PatchNet)
    return net.eval()


def window_by_window(net: PatchNet, x: Tensor) -> Tensor:
    """Logits (1, K, ROWS, W) of the first rows' windows."""
    half = net.window // 2
    views = mirrored(x, (half, half), (half, half)).unfold(2, net.window, 1).unfold(3, net.window, 1)
    rows = [net.of_windows(one.transpose(0, 1), 2 ** len(net.convs)) for one in views[0].transpose(0, 1)[:ROWS]]
    return torch.stack(rows)[..., 0, 0].permute(2, 0, 1)[None]


def timed(answer: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """The answer and the seconds of the processor that it took."""
    answer()
    began = time.process_time()
    said = answer()
    return said, time.process_time() - began


@torch.no_grad()
def main() -> None:
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    torch.manual_seed(0)
    net, picture = shipped(side), torch.randn(1, 1, side, side)
    dense, at_once = timed(lambda: net(picture))
    some, part = timed(lambda: window_by_window(net, picture))
    apart = float((dense[:, :, :ROWS] - some).abs().max())
    one_by_one = part * side / ROWS
    print(
        f"{side**2:,} windows of {net.window}x{net.window}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}"
    )
    print(f"as convolutions {at_once:.2f} s, window by window {one_by_one:.0f} s of the processor")
    print(f"{one_by_one / at_once:.0f} times as fast; the answers differ by {apart:.1e} at most")


if __name__ == "__main__":
    main()
