"""Windows as an eye has them: sharp in the middle, coarse at the rim."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

Foveate = Literal["none", "blur", "sampling", "both"]
FOVEATES: tuple[Foveate, ...] = get_args(Foveate)
RIM_RADIUS = 4
"""Radius in pixels of the disk that the rim is blurred by."""
SHARP = 0.25
"""Part of the way from the middle to the rim that stays sharp."""
STRETCH = 0.5
"""By sampling, pixels in the middle are at half of their distance in an even window, and farther apart at the rim."""


def foveated(windows: Tensor, foveate: Foveate) -> Tensor:
    """Windows (N, C, w, w), w odd, blurred towards the rim, sampled more densely in the middle, or both.

    Blur: each pixel is the mean over a disk whose radius grows from 0 at ``SHARP`` of the way to the rim to
    ``RIM_RADIUS`` there; between whole radii the two means are mixed. Sampling: the pixel a part t of the way to the
    rim shows what lies STRETCH t + (1 - STRETCH) t^3 of the way, along each axis, so that the middle is enlarged to
    twice its size and the rim stays in view. Both come from Ciresan, Giusti, Gambardella, Schmidhuber 2012 ("Deep
    neural networks segment neuronal membranes in electron microscopy images", section 2), who publish no numbers.
    """
    if foveate in ("blur", "both"):
        windows = _blurred(windows)
    return _sampled(windows) if foveate in ("sampling", "both") else windows


def _blurred(windows: Tensor) -> Tensor:
    side = windows.shape[-1]
    radius = ((_away(side, windows) - SHARP) / (1 - SHARP)).clamp(0, 1) * RIM_RADIUS
    levels = [windows, *(_disk_mean(windows, whole) for whole in range(1, RIM_RADIUS + 1))]
    return torch.stack([one * (1 - (radius - place).abs()).clamp(min=0) for place, one in enumerate(levels)]).sum(0)


def _away(side: int, like: Tensor) -> Tensor:
    """How far each pixel is from the middle, 1 at the rim, the larger of both axes: (w, w)."""
    line = torch.linspace(-1, 1, side, device=like.device, dtype=like.dtype).abs()
    return torch.maximum(line[:, None], line)


def _disk_mean(windows: Tensor, radius: int) -> Tensor:
    line = torch.arange(-radius, radius + 1, device=windows.device, dtype=windows.dtype)
    disk = (line[:, None].square() + line.square() <= radius**2).to(windows)
    channels = windows.shape[1]
    kernel = (disk / disk.sum()).expand(channels, 1, -1, -1)
    return F.conv2d(F.pad(windows, (radius,) * 4, mode="reflect"), kernel, groups=channels)


def _sampled(windows: Tensor) -> Tensor:
    line = torch.linspace(-1, 1, windows.shape[-1], device=windows.device, dtype=windows.dtype)
    source = STRETCH * line + (1 - STRETCH) * line**3
    grid = torch.stack(torch.meshgrid(source, source, indexing="xy"), -1)
    return F.grid_sample(windows, grid.expand(len(windows), -1, -1, -1), align_corners=True)
