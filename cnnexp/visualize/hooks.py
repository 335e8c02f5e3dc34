"""Looking on while a net works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

Note = Callable[[nn.Module, Any, Any], None]
"""A module, what it was given (a tuple), and what it answered."""


@contextmanager
def looking_on(net: nn.Module, noting: Callable[[str], Note]) -> Iterator[None]:
    """While open, each module of the net is noted when it has answered, in the order in which they do.

    Args:
        noting: gives for a module's dotted name what notes it; the net itself has none.
    """
    hooks = [module.register_forward_hook(noting(name)) for name, module in net.named_modules() if name]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
