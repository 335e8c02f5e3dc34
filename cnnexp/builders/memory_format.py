"""The order in which a net's weights lie in memory."""

from __future__ import annotations

import torch
from torch import nn

_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
"""By the number of axes; torch's own ``Module.to`` refuses a net that has both."""


def in_order(net: nn.Module, channels_last: bool) -> nn.Module:
    """The net, its weights of pictures and of clips with the channels last or first."""
    if not channels_last:
        return net.to(memory_format=torch.contiguous_format)
    for one in (*net.parameters(), *net.buffers()):
        if one.ndim in _CHANNELS_LAST:
            one.data = one.data.to(memory_format=_CHANNELS_LAST[one.ndim])
    return net
