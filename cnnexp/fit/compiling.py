"""``hardware.compile``: what of a net is compiled."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def compile_net(net: nn.Module) -> None:
    """Compile a net's forward pass, and the losses of one that answers them itself (a detector)."""
    net.compile()
    whole: Any = net
    if hasattr(net, "losses"):
        whole.losses = torch.compile(whole.losses)
