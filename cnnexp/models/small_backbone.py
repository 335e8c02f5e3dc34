"""A small residual net whose maps a detector looks at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.models.initialisation import he_init

GROUP = 8
"""Maps that are normalised together (Wu and He 2018); with it a picture's answer depends on no other in its batch."""


class SmallBackbone(nn.Module):
    """Residual blocks (He et al. 2016) with group norm; a map for each of some strides.

    Args:
        in_channels: channels of a picture.
        width: maps at stride 2, a multiple of 8; each further halving doubles them, up to ``8 * width``.
        depth: residual blocks at each stride above 2.
        strides: powers of 2 from 4 on, rising; of them the maps are answered.
    """

    def __init__(self, *, in_channels: int, width: int, depth: int, strides: Sequence[int]) -> None:
        super().__init__()
        self.levels = [stride.bit_length() - 2 for stride in strides]
        widths = [width * 2 ** min(level, 3) for level in range(max(self.levels) + 1)]
        self.stem = convolution(in_channels, width, stride=2)
        self.stages = nn.ModuleList(
            nn.Sequential(Block(before, after, stride=2), *(Block(after, after) for _ in range(depth - 1)))
            for before, after in pairwise(widths)
        )
        self.widths = [widths[level] for level in self.levels]
        """Maps at each of the strides."""
        self.apply(he_init)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Pictures (B, C, H, W) → maps ``0``, ``1``, … (B, widths[i], ceil(H / strides[i]), …)."""
        x = self.stem(x)
        found = []
        for level, stage in enumerate(self.stages, start=1):
            x = stage(x)
            if level in self.levels:
                found.append(x)
        return OrderedDict((str(place), one) for place, one in enumerate(found))


class Block(nn.Module):
    """Two 3x3 convolutions around a way past them, which a 1x1 convolution brings to size where it has to.

    Args:
        dilation: how many pixels apart the convolutions look.
    """

    def __init__(self, in_width: int, width: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.first = convolution(in_width, width, stride, dilation)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, kernel_size=3, padding=dilation, dilation=dilation, bias=False),
            nn.GroupNorm(width // GROUP, width),
        )
        same = in_width == width and stride == 1
        self.past = nn.Identity() if same else nn.Conv2d(in_width, width, kernel_size=1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.past(x) + self.second(self.first(x)))


def convolution(in_width: int, width: int, stride: int, dilation: int = 1) -> nn.Sequential:
    """A 3x3 convolution with group norm and a ReLU."""
    layer = nn.Conv2d(in_width, width, 3, stride=stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(layer, nn.GroupNorm(width // GROUP, width), nn.ReLU())
