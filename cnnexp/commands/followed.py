"""What each module of an opened net does with a sample, as ``cnnexp summary`` finds it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.anatomy.trace import Call
    from cnnexp.commands.looking import Subject


def followed(subject: Subject, x: Tensor | None = None) -> dict[str, Call]:
    """The modules by name, in the order in which the net comes to them; the net itself, whose name is "", is left out.

    Args:
        x: a prepared batch whose samples have the size that is asked about; None for the data's own.

    Raises:
        NotFitting: the net cannot be followed without its numbers.
    """
    import torch

    from cnnexp.anatomy.trace import traced
    from cnnexp.models.traced import traced as traceable
    from cnnexp.visualize.section import NotFitting

    net = copy.deepcopy(subject.task.net).to("meta")
    trunk = traceable(net)
    prefix = next(name for name, module in net.named_modules() if module is trunk)
    example = subject.task.facts.input.example(1, "meta")
    if x is not None:
        example = (torch.empty_like(x[:1], device="meta"), *example[1:])
    try:
        with torch.device("meta"):
            modules = traced(trunk, *example).modules
    except (RuntimeError, ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:80]
        raise NotFitting(f"{subject.name}: the net cannot be followed without its numbers ({reason})") from error
    return {f"{prefix}.{name}" if prefix else name: call for name, call in modules.items() if name}
