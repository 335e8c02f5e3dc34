"""The elastic net: a penalty on the weights that is added to the training loss and logged on its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnexp.training.parameter_groups import decays


class Penalty:
    """l1 * sum |w| + l2 * sum w², over weights with two or more dimensions, or over biases and norms too.

    The gradient of the second term is 2 * l2 * w, so SGD's ``weight_decay`` is 2 * l2. It is added in closed form after
    the backward pass (l1 * sign(w) + 2 * l2 * w, with sign(0) = 0), which costs no graph. Source: Zou and Hastie 2005,
    "Regularization and variable selection via the elastic net", equation 3.

    Args:
        l1, l2: factors of at least 0. everything: biases and norms are penalised too.
    """

    def __init__(self, l1: float, l2: float, everything: bool = False) -> None:
        self.l1 = l1
        self.l2 = l2
        self.everything = everything

    @property
    def active(self) -> bool:
        return self.l1 > 0 or self.l2 > 0

    @torch.no_grad()
    def __call__(self, net: nn.Module) -> Tensor:
        """The penalty of a net's trainable weights, a scalar without a gradient."""
        weights = self._weights(net)
        if not weights:
            return torch.zeros(())
        total = weights[0].new_zeros(())
        if self.l1 > 0:
            total += self.l1 * torch.stack(torch._foreach_norm(weights, 1)).sum()
        if self.l2 > 0:
            total += self.l2 * torch.stack(torch._foreach_norm(weights, 2)).square().sum()
        return total

    @torch.no_grad()
    def add_gradients(self, net: nn.Module) -> Tensor:
        """Add the penalty's gradient to those of the weights; returns the penalty, a scalar."""
        penalty = self(net)
        weights = [weight for weight in self._weights(net) if weight.grad is not None]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        if not weights:
            return penalty
        if self.l1 > 0:
            torch._foreach_add_(gradients, torch._foreach_sign(weights), alpha=self.l1)
        if self.l2 > 0:
            torch._foreach_add_(gradients, weights, alpha=2 * self.l2)
        return penalty

    def _weights(self, net: nn.Module) -> list[Tensor]:
        weights: list[Tensor] = [weight for weight in net.parameters() if weight.requires_grad]
        return [weight for weight in weights if decays(weight, self.everything)]
