"""An exponential moving average of a net's weights, which is what is validated, tested and kept."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class WeightAverage(nn.Module):
    """average = d * average + (1 - d) * weights after every step, with d = min(decay, (1 + step) / (10 + step)).

    The smaller d at the start lets the average leave the first random weights soon. Running statistics of batch norm
    are averaged as well; whole numbers (its counter) are copied. Source: Polyak and Juditsky 1992 for the idea; the
    ramp is the one of TensorFlow's ExponentialMovingAverage.

    Args:
        net: whose weights are followed. decay: in (0, 1).
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.averaged = copy.deepcopy(net).requires_grad_(False)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.steps: Tensor

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take the weights after a step into the average."""
        step = int(self.steps)
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        own, others = _split(self.averaged), _split(net)
        torch._foreach_lerp_(own[0], others[0], share)
        if own[1]:
            torch._foreach_copy_(own[1], others[1])
        self.steps += 1

    @torch.no_grad()
    def swap(self, net: nn.Module) -> None:
        """Exchange the net's weights and the averaged ones; a second call brings them back."""
        for own, other in zip(_tensors(self.averaged), _tensors(net), strict=True):
            own.data, other.data = other.data, own.data


def _tensors(net: nn.Module) -> list[Tensor]:
    return [*net.parameters(), *net.buffers()]


def _split(net: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """Tensors that have a mean, and the others."""
    tensors = _tensors(net)
    return [one for one in tensors if one.is_floating_point()], [one for one in tensors if not one.is_floating_point()]
