"""Time of building blocks, forward and backward, each beside what it stands for, interleaved in one process.

    OMP_NUM_THREADS=1 python benchmarks/blocks.py

A depthwise separable convolution beside a plain one of as many maps, and local response normalisation as a sum of
slices beside torch's layer.
"""

from __future__ import annotations

import statistics

import torch
from interleaved import forward_and_backward, interleaved, ratio
from torch import nn

from cnnexp.models.convolutions import convolution
from cnnexp.models.local_response_norm import LocalResponseNorm

BATCH = 8
REPEATS = 15


def row(name: str, layers: tuple[nn.Module, nn.Module], shape: tuple[int, int, int]) -> str:
    picture = torch.randn(BATCH, *shape, requires_grad=True)
    ours, theirs = interleaved(*(forward_and_backward(layer, picture) for layer in layers), REPEATS)
    milliseconds = (f"{1000 * statistics.median(one):9.1f}" for one in (ours, theirs))
    return f"{name:<38}{'x'.join(map(str, shape)):>12}{''.join(milliseconds)}{ratio(ours, theirs):8.2f}"


def main() -> None:
    torch.manual_seed(0)
    print(f"batch {BATCH}, {torch.get_num_threads()} threads, torch {torch.__version__}; milliseconds, medians")
    print(f"{'':<38}{'maps':>12}{'first':>9}{'second':>9}{'times':>8}")
    for shape in ((256, 28, 28), (256, 14, 14), (64, 56, 56)):
        width = shape[0]
        pair = (convolution("separable", width, width, 3, bias=True), convolution("plain", width, width, 3, bias=True))
        print(row("separable, plain convolution 3x3", pair, shape))
    torchs = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
    for shape in ((96, 55, 55), (256, 27, 27)):
        print(row("response norm, torch's", (LocalResponseNorm(), torchs), shape))


if __name__ == "__main__":
    main()
