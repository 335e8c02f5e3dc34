"""A net tried with shapes alone, on the meta device: no weights, no samples, and so before any data is prepared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.inputs.base import Input
from cnnexp.models.auxiliary import weight_of
from cnnexp.models.traced import traced

NOT_TRIED = object()
BATCH = 2  # batch norm in training mode refuses a single value a channel


def refuse_samples(config: Mapping[str, Any], make: partial[nn.Module], given: Input) -> None:
    """Refuse a net that cannot be made, or that cannot take samples of this size.

    A net that cannot be tried without weights (one of the user's own, say) is not refused here.

    Args:
        make: the net, with its arguments bound for such input.

    Raises:
        InputError: in one line, with the smallest size that the net takes; or the net has another number of answers
            for the parts of a sample than the data has labels.
    """
    answer = _answer(make, given)
    if answer is not None:
        problem = given.parts_problem(answer.shape[-1]) if isinstance(answer, Tensor) and answer.ndim > 2 else None
        if problem is not None:
            raise InputError(problem)
        return
    smallest = _smallest(make, given)
    if smallest is not None:
        found = given.with_side(smallest)
        named = "the smallest that it takes are" if smallest > given.side else "it takes"
        size = "x".join(map(str, found.shape[1:] or found.shape))
        raise InputError(
            f"{given.setting}: model={config['choices']['model']} does not take such {given.noun}s, {named} {size}; "
            f"set {found.setting}"
        )


def _smallest(make: partial[nn.Module], given: Input) -> int | None:
    """The shortest side above one that failed; where there is none, a shorter one."""
    larger = [side for side in given.sides if side > given.side]
    works = next((side for side in larger if _takes_side(make, given, side)), None)
    if works is None:
        shorter = (side for side in reversed(given.sides) if side < given.side)
        return next((side for side in shorter if _takes_side(make, given, side)), None)
    fails = max([given.side, *(side for side in larger if side < works)])
    while works - fails > 1:
        middle = (works + fails) // 2
        if _takes_side(make, given, middle):
            works = middle
        else:
            fails = middle
    return works


def _takes_side(make: partial[nn.Module], given: Input, side: int) -> bool:
    tried = given.with_side(side)
    told = {key: value for key, value in tried.told().items() if key in make.keywords}
    try:
        return _answer(partial(make, **told), tried) is not None
    except InputError:
        return False


def _answer(make: partial[nn.Module], given: Input) -> Any:
    """What the net says of samples; None where they do not pass through it.

    A net that cannot be made without weights is taken at its word. In training mode only where there are auxiliary
    heads, which work in that alone: it takes twice as long.
    """
    try:
        with torch.device("meta"):
            net = traced(make())
    except InputError:
        raise
    except Exception:  # what a net does in its constructor is not known; the real one will tell
        return NOT_TRIED
    try:
        with torch.no_grad():
            return net.train(weight_of(net) is not None)(*given.example(BATCH))
    except (RuntimeError, ValueError, AssertionError):
        return None
