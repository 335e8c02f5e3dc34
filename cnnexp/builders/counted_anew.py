"""What a net counted in its training data is no weight: a run that begins from another one counts in its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cnnexp.builders.begun import Start


@torch.no_grad()
def count_anew(net: nn.Module, begun: Start) -> None:
    """Bring the counts of a net that is about to learn back to 0, where weights brought some.

    Args:
        net: which names its counts in ``counts``, as in a state dict, or has none.
        begun: told that they are fresh.
    """
    names: Any = getattr(net, "counts", ())
    for name in names:
        net.get_buffer(name).zero_()
    brought = [name for name in begun.loaded if name in names]
    begun.loaded, begun.fresh = [name for name in begun.loaded if name not in names], [*begun.fresh, *brought]
