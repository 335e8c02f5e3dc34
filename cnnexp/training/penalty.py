"""The elastic net: a penalty on the weights that is added to the training loss and logged on its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Penalty:
    """l1 * sum |w| + l2 * sum w², over weights with two or more dimensions (no biases, no norms).

    The gradient of the second term is 2 * l2 * w, so SGD's ``weight_decay`` is 2 * l2.

    Args:
        l1, l2: factors of at least 0.
    """

    def __init__(self, l1: float, l2: float) -> None:
        self.l1 = l1
        self.l2 = l2

    @property
    def active(self) -> bool:
        return self.l1 > 0 or self.l2 > 0

    def __call__(self, net: nn.Module) -> Tensor:
        """The penalty of a net's trainable weights, a scalar."""
        weights = [weight for weight in net.parameters() if weight.ndim >= 2 and weight.requires_grad]
        if not weights:
            return torch.zeros(())
        total = weights[0].new_zeros(())
        if self.l1 > 0:
            total = total + self.l1 * torch.stack([weight.abs().sum() for weight in weights]).sum()
        if self.l2 > 0:
            total = total + self.l2 * torch.stack([weight.square().sum() for weight in weights]).sum()
        return total
