"""The mean loss of an epoch, weighed by the number of items behind each batch's mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.distributed as distributed
from torch import Tensor, nn


class LossMeans(nn.Module):
    """Running sums of a loss and its parts. They are buffers, so a checkpoint in mid-epoch keeps them.

    Args:
        names: of the parts, in the order of the buffer; ``loss`` comes before them.
    """

    sums: Tensor

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = ("loss", *names)
        self.register_buffer("sums", torch.zeros(len(self.names) + 1, dtype=torch.float64))

    @torch.no_grad()
    def update(self, loss: Tensor, count: int | Tensor, parts: Mapping[str, Tensor]) -> None:
        """Add a batch: scalars, each a sum divided by ``count``, or by 1 where ``count`` is 0."""
        losses = [loss, *(parts.get(name, loss.new_zeros(())) for name in self.names[1:])]
        weight = max(count, 1) if isinstance(count, int) else count.clamp(min=1)
        self.sums[:-1] += torch.stack([one.detach() for one in losses]).double() * weight
        self.sums[-1] += count

    def compute(self) -> dict[str, float]:
        """Means over all batches of all processes."""
        sums = self.sums.clone()
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(sums)
        *totals, count = sums.tolist()
        return {name: total / max(count, 1.0) for name, total in zip(self.names, totals, strict=True)}

    def reset(self) -> None:
        """Begin a new epoch."""
        self.sums.zero_()
