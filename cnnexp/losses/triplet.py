"""Triplets: a sample nearer to one of its own identity than to one of another, by a margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from cnnexp.losses.term import Loss, Term, at_least_one
from cnnexp.losses.whole_batch import WholeBatch, for_the_mean, whole_batch

Mining = Literal["batch_hard", "semi_hard", "all"]


class Triplet(Loss):
    """max(0, d(a, p) - d(a, n) + margin), the mean over triplets of an anchor, one like it and one of another identity.

    Source: Schroff, Kalenichenko and Philbin 2015, "FaceNet", equation 3, where d is the squared Euclidean distance of
    embeddings of length 1. Which triplets of a batch count:

    - ``batch_hard``: for each anchor the farthest that is like it and the nearest that is not (Hermans, Beyer and Leibe
      2017, "In defense of the triplet loss", equation 5, where d is not squared).
    - ``semi_hard``: for each pair of samples that are alike the nearest other one that is farther than they are from
      each other; where none is, the farthest (FaceNet, section 3.2).
    - ``all``: all of them, and of their losses the mean of those above 0 (Hermans, section 2, "batch all").

    With distances that are squared and a small margin ``batch_hard`` may end where all embeddings are one and each loss
    is the margin. Triplets that keep the margin count with a loss of 0, but with ``all``.

    Args:
        mining: batch_hard | semi_hard | all. margin: above 0; None for ln(1 + exp(d(a, p) - d(a, n))), which never
            ends (Hermans, "soft margin"). squared: whether distances are squared, in [0, 4]; else in [0, 2].

    Raises:
        ValueError: another mining, or a margin that is not above 0.
    """

    reads: ClassVar[str | None] = "identity"
    compares: ClassVar[bool] = True

    def __init__(self, *, mining: str, margin: float | None, squared: bool) -> None:
        super().__init__()
        if mining not in _MINED:
            raise ValueError(f"loss.mining={mining}: expected one of {', '.join(_MINED)}")
        if margin is not None and margin <= 0:
            raise ValueError(f"loss.margin={margin:g}: expected a number above 0, or null")
        self.mining, self.margin, self.squared = mining, margin, squared

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of embeddings (B, d) of length 1, and ``identity`` and ``sample`` int64 (B,)."""
        batch = whole_batch(answer, truth)
        distances = batch.squared_distances
        if not self.squared:
            distances = distances.clamp(min=_TINY).sqrt()
        losses, counted = self._losses(_MINED[self.mining](distances, batch), distances)
        count = counted.sum()
        return Term("triplet", for_the_mean((losses * counted).sum() / at_least_one(count)), count)

    def _losses(self, mined: tuple[Tensor, Tensor, Tensor], distances: Tensor) -> tuple[Tensor, Tensor]:
        """Of each triplet, and which of them count."""
        positive, negative, there = mined
        further = torch.where(there, positive - negative, 0)
        losses = functional.softplus(further) if self.margin is None else (further + self.margin).clamp(min=0)
        return losses, there & (losses > 0) if self.mining == "all" else there


def _batch_hard(distances: Tensor, batch: WholeBatch) -> tuple[Tensor, Tensor, Tensor]:
    """d(a, p) and d(a, n), and where there are such: (N,) each, one for each anchor."""
    positive = distances.masked_fill(~batch.same, -torch.inf).amax(1)
    negative = distances.masked_fill(~batch.different, torch.inf).amin(1)
    return positive, negative, batch.same.any(1) & batch.different.any(1)


def _semi_hard(distances: Tensor, batch: WholeBatch) -> tuple[Tensor, Tensor, Tensor]:
    """The same for each pair of anchor and one like it, (N, N)."""
    farther = batch.different[:, None] & (distances[:, None] > distances[:, :, None])
    nearest = distances[:, None].masked_fill(~farther, torch.inf).amin(2)
    farthest = distances.masked_fill(~batch.different, -torch.inf).amax(1)[:, None]
    return distances, torch.where(farther.any(2), nearest, farthest), batch.same & batch.different.any(1)[:, None]


def _all(distances: Tensor, batch: WholeBatch) -> tuple[Tensor, Tensor, Tensor]:
    """The same for each triplet, (N, N, N)."""
    return distances[:, :, None], distances[:, None], batch.same[:, :, None] & batch.different[:, None]


_MINED = {"batch_hard": _batch_hard, "semi_hard": _semi_hard, "all": _all}
_TINY = 1e-12
"""The least squared distance whose root is taken: the root of 0 has no slope."""
