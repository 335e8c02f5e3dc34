"""Nets with auxiliary heads: further classifiers on layers half way up, which only the training listens to.

Such a net says so by an attribute ``auxiliary_weight``, a float that the loss of each auxiliary head is multiplied by,
and names the modules that the heads are in ``auxiliary_parts``.
In training mode it answers with a tuple, its logits (B, K) first and those of the auxiliary heads behind, in evaluation
mode with its logits alone. torchvision's GoogLeNet and Inception v3 answer so; the attribute is set on them after they
are made. Source: Szegedy et al. 2014, "Going deeper with convolutions", section 5.
"""

from __future__ import annotations

from torch import Tensor, nn


def weight_of(net: nn.Module) -> float | None:
    """What the loss of each auxiliary head counts beside that of the answer; None where the net has no such heads."""
    weight = getattr(net, "auxiliary_weight", None)
    return float(weight) if isinstance(weight, int | float) else None


def parts_of(net: nn.Module) -> tuple[str, ...]:
    """Beginnings of the names of what belongs to auxiliary heads, from an attribute ``auxiliary_parts`` with names of
    modules; weights with other classes do not fit there."""
    return tuple(f"{name}." for name in getattr(net, "auxiliary_parts", ()))


def split_answer(answer: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The logits, and those of the auxiliary heads: none where the net answered with one tensor."""
    if isinstance(answer, tuple):
        return answer[0], answer[1:]
    return answer, ()
