"""Pooling by its name in the configuration."""

from __future__ import annotations

from typing import Literal

from torch import nn

Pooling = Literal["max", "average", "l2"]


def pool(name: Pooling, size: int, stride: int) -> nn.Module:
    """The largest, the mean, or the root of the sum of squares (L2 norm) of `size` x `size` pixels, every `stride`-th.

    A window that would reach beyond the edge is left out. The gradient of an L2 norm of zero is taken as zero.
    """
    if name == "l2":
        return nn.LPPool2d(2, size, stride)
    return {"max": nn.MaxPool2d, "average": nn.AvgPool2d}[name](size, stride)
