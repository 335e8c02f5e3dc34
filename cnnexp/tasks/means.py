"""The mean loss of an epoch, weighed by the number of items behind each batch's mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchmetrics import Metric


class LossMeans(Metric):
    """Running sums of a loss and its parts; a checkpoint in mid-epoch keeps them.

    (A metric and no buffers: DDP overwrites the buffers of all processes by those of the first at every step.)

    Args:
        names: of the parts, in the order of the sums; ``loss`` comes before them.
    """

    full_state_update = False
    sums: Tensor

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = ("loss", *names)
        self.add_state("sums", torch.zeros(len(self.names) + 1, dtype=torch.float64), dist_reduce_fx="sum")

    @torch.no_grad()
    def update(self, loss: Tensor, count: int | Tensor, parts: Mapping[str, Tensor]) -> None:
        """Add a batch: scalars, each a sum divided by ``count``, or by 1 where ``count`` is 0."""
        losses = [loss, *(parts.get(name, loss.new_zeros(())) for name in self.names[1:])]
        weight = max(count, 1) if isinstance(count, int) else count.clamp(min=1)
        self.sums[:-1] += torch.stack([one.detach() for one in losses]).double() * weight
        self.sums[-1] += count

    def compute(self) -> dict[str, float]:
        """Means over all batches of all processes."""
        *totals, count = self.sums.tolist()
        return {name: total / max(count, 1.0) for name, total in zip(self.names, totals, strict=True)}
