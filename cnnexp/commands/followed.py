"""What each module of an opened net does with a sample, as ``cnnexp summary`` finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from cnnexp.anatomy.trace import Call
    from cnnexp.commands.looking import Subject


def followed(subject: Subject, x: Tensor | None = None) -> dict[str, Call]:
    """The modules of the subject's net by name, in the order in which the net comes to them.

    Args:
        x: a prepared batch whose samples have the size that is asked about; None for the data's own.

    Raises:
        NotFitting: the net cannot be followed without its numbers.
    """
    import torch

    from cnnexp.anatomy import followed as on_shapes
    from cnnexp.visualize.section import NotFitting

    example = subject.task.facts.input.example(1, "meta")
    if x is not None:
        example = (torch.empty_like(x[:1], device="meta"), *example[1:])
    try:
        return on_shapes.followed(subject.task.net, example)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise NotFitting(f"{subject.name}: the net cannot be followed without its numbers ({reason})") from error
