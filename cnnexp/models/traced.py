"""The part of a net that can run on shapes alone."""

from __future__ import annotations

from torch import nn


def traced(net: nn.Module) -> nn.Module:
    """What is followed on the meta device: the net, or the trunk that it names in an attribute ``traced``.

    A two-stage detector, say, goes on with as many boxes as it finds, which shapes do not tell.
    """
    trunk = getattr(net, "traced", None)
    return trunk if isinstance(trunk, nn.Module) else net
