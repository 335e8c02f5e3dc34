"""The part of a net that can run on shapes alone."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


def traced(net: nn.Module) -> nn.Module:
    """What is followed on the meta device: the net, or the trunk that it names in an attribute ``traced``.

    A two-stage detector, say, goes on with as many boxes as it finds, which shapes do not tell. A layer that makes an
    empty map raises a ValueError, as it does on numbers: torch 2.11 lets a convolution by, on the meta device, whose
    kernel is larger than its input along one axis alone.
    """
    trunk = getattr(net, "traced", None)
    followed = trunk if isinstance(trunk, nn.Module) else net
    for module in followed.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            module.register_forward_hook(_refuse_an_empty_map)
    return followed


def _refuse_an_empty_map(layer: nn.Module, given: Any, map_: Tensor) -> None:
    if map_.numel() == 0:
        raise ValueError(f"an empty map: {tuple(map_.shape)}")
