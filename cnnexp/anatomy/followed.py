"""A net with weights followed on shapes alone, by the names of its own modules."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cnnexp.anatomy.trace import Call, traced
from cnnexp.models.traced import traced as traceable


def followed(net: nn.Module, example: Sequence[Tensor]) -> dict[str, Call]:
    """The modules by name, in the order in which the net comes to them; the net itself, whose name is "", is left out.

    Args:
        net: on any device; a copy without numbers is followed. example: its arguments for one sample, meta tensors.

    Raises:
        RuntimeError, ValueError: the net needs numbers, or cannot take such a sample.
    """
    shell = copy.deepcopy(net).to("meta")
    trunk = traceable(shell)
    prefix = next(name for name, module in shell.named_modules() if module is trunk)
    with torch.device("meta"):
        modules = traced(trunk, *example).modules
    return {f"{prefix}.{name}" if prefix else name: call for name, call in modules.items() if name}
