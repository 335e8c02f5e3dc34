"""A head for numbers that say where something is, which the mean of a map no longer tells."""

from __future__ import annotations

import torch
from torch import Tensor, nn

GRID = 8
"""Cells along each side that a head looks at."""


class PlaceHead(nn.Module):
    """Numbers (B, N), linear in the means of 8×8 cells of maps (B, C, H, W) of any size.

    Global average pooling leaves one mean of each map, whichever pixels it is of; here each of 64 parts has its own.
    They are divided by 64, so that a rate at which the class is learnt suits both: at ResNet-20's rate of 0.1 a squared
    error over 64 · C inputs of about 1 would not come down. Before any training the answer is ``at_first``, whatever
    the picture.
    """

    def __init__(self, in_channels: int, numbers: int, at_first: float = 0.5) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels * GRID**2, numbers)
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, at_first)

    def forward(self, x: Tensor) -> Tensor:
        # two products of matrices: adaptive pooling has no deterministic gradient on GPUs
        down, across = (cell_means(side).to(x) for side in x.shape[-2:])
        return self.linear((down @ x @ across.T).flatten(1) / GRID**2)


def cell_means(side: int) -> Tensor:
    """(8, side): what each of ``side`` pixels in a row adds to the means of 8 cells of one length."""
    edges, length = torch.arange(side), side / GRID
    starts = torch.arange(GRID)[:, None] * length
    shared = torch.minimum(starts + length, edges + 1.0) - torch.maximum(starts, edges.float())
    return shared.clamp(min=0) / length
