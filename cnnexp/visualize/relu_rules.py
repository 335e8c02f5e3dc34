"""Three rules for how a gradient passes a ReLU on its way back: backpropagation's, the deconvnet's, and guided.

With the gradient g that comes from above and the ReLU's input z, what goes on below is (Springenberg, Dosovitskiy, Brox
and Riedmiller 2015, "Striving for simplicity", figure 1):

    backpropagation   g · [z > 0]
    deconvnet         g · [g > 0]              (Zeiler and Fergus 2014, section 2.1)
    guided            g · [z > 0] · [g > 0]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import torch
from torch.utils._python_dispatch import TorchDispatchMode

Rule = Literal["backpropagation", "deconvnet", "guided"]
RULES: tuple[Rule, ...] = get_args(Rule)
_AT_A_RELU = (torch.ops.aten.threshold_backward.default, torch.ops.aten.hardtanh_backward.default)
"""What autograd asks for where there was a ReLU, of a module or a function, in place or not, or one that is cut above
(ReLU6)."""


class ReluRule(TorchDispatchMode):
    """While open around a backward pass, that passes ReLUs by a rule; ``met`` counts them.

    It changes what the kernels of a backward pass are asked for, so that it does not matter how a net spells its ReLUs,
    with one exception: ``clamp(min=0)`` has a derivative of its own and stays as it is.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule, self.met = rule, 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in _AT_A_RELU and _begins_at_zero(func, args):
            self.met += 1
            return self._passed(func, *args)
        return func(*args, **(kwargs or {}))

    def _passed(self, backward: Callable[..., Any], gradient: torch.Tensor, *others: Any) -> Any:
        if self.rule == "backpropagation":
            return backward(gradient, *others)
        positive = gradient.clamp(min=0)
        return positive if self.rule == "deconvnet" else backward(positive, *others)


def _begins_at_zero(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether what is below 0 became 0: hardtanh and threshold may begin elsewhere. (gradient, input, lowest, …)"""
    return float(args[2]) == 0
