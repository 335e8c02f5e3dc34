"""A net tried with shapes alone, on the meta device: no weights, no pictures, and so before any data is prepared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from cnnexp.data.base import Facts
from cnnexp.errors import InputError
from cnnexp.models.auxiliary import weight_of

SIDES_PX = (8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 256, 299, 331, 384, 448, 512)
"""Where one looks for a size that a net takes."""
BATCH = 2  # batch norm in training mode refuses a single value a channel


def refuse_pictures(config: Mapping[str, Any], make: partial[nn.Module], facts: Facts) -> None:
    """Refuse a net that cannot be made, or that cannot take pictures of this size.

    A net that cannot be tried without weights (one of the user's own, say) is not refused here.

    Args:
        make: the net, with its arguments bound for pictures of these facts.

    Raises:
        InputError: in one line, with the smallest size that the net takes.
    """
    if _takes(make, facts.channels, facts.height, facts.width):
        return
    smallest = _smallest(make, facts.channels, min(facts.height, facts.width))
    if smallest is not None:
        raise InputError(
            f"data.image_size=[{facts.height},{facts.width}]: model={config['choices']['model']} does not take such "
            f"pictures, {_named(smallest, facts)} {smallest}x{smallest}; set data.image_size=[{smallest},{smallest}]"
        )


def _named(side: int, facts: Facts) -> str:
    return "the smallest that it takes are" if side > min(facts.height, facts.width) else "it takes"


def _smallest(make: partial[nn.Module], channels: int, failing: int) -> int | None:
    """The side of the smallest square picture above one that failed; where there is none, of a smaller one."""
    larger = [side for side in SIDES_PX if side > failing]
    works = next((side for side in larger if _takes_square(make, channels, side)), None)
    if works is None:
        return next(
            (side for side in reversed(SIDES_PX) if side < failing and _takes_square(make, channels, side)), None
        )
    fails = max([failing, *(side for side in larger if side < works)])
    while works - fails > 1:
        middle = (works + fails) // 2
        if _takes_square(make, channels, middle):
            works = middle
        else:
            fails = middle
    return works


def _takes_square(make: partial[nn.Module], channels: int, side: int) -> bool:
    given = {"image_size": (side, side)} if "image_size" in make.keywords else {}
    try:
        return _takes(partial(make, **given), channels, side, side)
    except InputError:
        return False


def _takes(make: partial[nn.Module], channels: int, height: int, width: int) -> bool:
    """Whether a picture passes through; a net that cannot be made without weights is taken at its word.

    In training mode only where there are auxiliary heads, which work in that alone: it takes twice as long.
    """
    try:
        with torch.device("meta"):
            net = make()
    except InputError:
        raise
    except Exception:  # what a net does in its constructor is not known; the real one will tell
        return True
    try:
        with torch.no_grad():
            net.train(weight_of(net) is not None)(torch.empty(BATCH, channels, height, width, device="meta"))
    except (RuntimeError, ValueError, AssertionError):
        return False
    return True
