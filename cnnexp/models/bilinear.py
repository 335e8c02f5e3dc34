"""Upsampling by a transposed convolution that begins as bilinear interpolation (Long, Shelhamer, Darrell 2015)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def bilinear_kernel(factor: int) -> Tensor:
    """The tent (2f, 2f) by which a transposed convolution of stride f, an even number, interpolates.

    Entry (i, j) is (1 - |i - c| / f)(1 - |j - c| / f) with its middle c = f - 1/2.
    """
    tent = 1 - (torch.arange(2 * factor) - (factor - 0.5)).abs() / factor
    return tent[:, None] * tent


class BilinearUpsampling(nn.Module):
    """Maps (B, C, h, w) → (B, C, (h + 1) f, (w + 1) f): half a stride more on each side than was there.

    What lies outside counts as zero. A fixed one keeps the maps apart and has no parameters; one that is learnt is a
    whole convolution from every map to every map, which begins with the tent from each map to itself.

    Args:
        channels: C. factor: f, an even number. learnt: whether its weights learn.
    """

    def __init__(self, channels: int, factor: int, learnt: bool) -> None:
        super().__init__()
        self.channels, self.factor, self.learnt = channels, factor, learnt
        kernel = bilinear_kernel(factor)
        if learnt:
            self.weight = nn.Parameter(torch.eye(channels)[:, :, None, None] * kernel)
        else:
            self.register_buffer("tent", kernel.expand(channels, 1, -1, -1).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.learnt:
            return F.conv_transpose2d(x, self.weight, stride=self.factor)
        return F.conv_transpose2d(x, self.get_buffer("tent"), stride=self.factor, groups=self.channels)

    def extra_repr(self) -> str:
        return f"{self.channels}, factor={self.factor}, learnt={self.learnt}"
