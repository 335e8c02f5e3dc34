"""What keeps a net from learning its training pictures by heart, as plain numbers; null or 0 switches each off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from cnnexp.models.stages import head_of
from cnnexp.training.penalty import Penalty


@dataclass(frozen=True)
class Regularization:
    """Everything of the group that the learner applies; the rest is the net's and the loss's.

    Attributes:
        penalty: added to the training loss. include_biases_and_norms: they are penalised and decay too.
        gradient_clip_norm: longest gradient, 2-norm over all parameters.
        max_norm: longest weight vector into one unit. max_norm_of: all layers, or the head alone.
        ema_decay: of the averaged weights, in (0, 1).
    """

    penalty: Penalty
    include_biases_and_norms: bool = False
    gradient_clip_norm: float | None = None
    max_norm: float | None = None
    max_norm_of: Literal["all", "head"] = "all"
    ema_decay: float | None = None

    @property
    def changes_gradients(self) -> bool:
        return self.penalty.active or self.gradient_clip_norm is not None


@torch.no_grad()
def limit_norms(net: nn.Module, most: float, of: Literal["all", "head"] = "all") -> None:
    """Shorten every unit's weight vector (a row of a linear layer, a filter of a convolution) to 2-norm ``most``.

    Args:
        of: all layers, or those alone that give the answers, as Kim (2014) has it.

    Source: Srivastava et al. 2014, "Dropout", section 5.1 (max-norm regularization).
    """
    weights = net.parameters() if of == "all" else (weight for _, weight in head_of(net).parameters(net))
    for weight in weights:
        if weight.ndim >= 2 and weight.requires_grad:
            weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=most))


def class_factors(regularization: Mapping[str, Any]) -> tuple[float, ...] | None:
    """The factor of each class that the group says; None where there are none, or not yet."""
    weights = regularization["class_weights"]
    return None if weights is None or isinstance(weights, str) else tuple(weights)


def balanced_weights(counts: Sequence[int]) -> list[float]:
    """A weight for each class that makes all classes count alike: total / (classes * count), 0 where there is none.

    Over the training samples these weights have the mean 1.
    """
    present = sum(count > 0 for count in counts)
    return [sum(counts) / (present * count) if count else 0.0 for count in counts]
