"""Optimizers in the form that takes all weights in one call, and the momentum that torch's fused SGD starts from.

Fused SGD asks once for a whole group of weights whether it has momentum yet, where torch's other forms ask for each
weight. So a group of which some weights begin later (``transfer=two_phase``) crashes; and a first step that a gradient
scaler leaves out, because a gradient overflowed, keeps momentum that was never written. Zeros from the beginning are
the same momentum, since m·0 + g = g, and leave no such question.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch

FORMS = ("fused", "foreach")
"""Arguments of torch's optimizers that choose such a form, the fastest first."""


def one_kernel(optimizer: type, given: Mapping[str, Any]) -> dict[str, bool]:
    """The argument for the form that takes all tensors in one call: on small nets several times as fast.

    On a processor torch would take the loop over tensors.

    Args:
        optimizer: its class. given: its arguments in the configuration, which may ask for a form themselves.
    """
    if given.get("foreach"):  # torch takes one of them only
        return {}
    parameters = inspect.signature(optimizer).parameters
    return next(({form: True} for form in FORMS if form in parameters and _fits(form, optimizer, given)), {})


def _fits(form: str, optimizer: type, given: Mapping[str, Any]) -> bool:
    """Dampened momentum is the bare gradient after the first step, (1 - dampening)·g from zeros: SGD is not fused."""
    return form != "fused" or not issubclass(optimizer, torch.optim.SGD) or not given.get("dampening")


def fill_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Give each weight of a fused SGD momentum of zeros where it has none; every other optimizer stays as it is.

    Before the first step of a fit, and after the state of a checkpoint was put in: an earlier version's may hold the
    momentum of some weights only. What a weight has already is kept, and a frozen weight is not touched by it, since a
    step leaves out what has no gradient.
    """
    if not isinstance(optimizer, torch.optim.SGD):
        return
    for group in optimizer.param_groups:
        # a checkpoint brings the form that its own run had, but a gradient scaler goes by what this one was made with
        group.update({form: optimizer.defaults[form] for form in FORMS})
        if group["fused"] and group["momentum"] and not group["dampening"]:
            for weight in group["params"]:
                state = optimizer.state[weight]
                if state.get("momentum_buffer") is None:
                    state["momentum_buffer"] = torch.zeros_like(weight)
