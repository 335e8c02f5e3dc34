"""ArcFace: a direction for each identity, and embeddings that lie nearer to their own by an angle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnexp.losses.term import Loss, Term, at_least_single


class Arcface(Loss):
    """Cross entropy of scale · cos θ_j, where the angle θ to the direction of the own identity is larger by a margin.

    Source: Deng, Guo, Xue and Zafeiriou 2019, "ArcFace", equation 3. The directions are weights of the loss, which
    learn with the net. Where θ + margin is beyond π, cos θ - margin · sin margin stands in, as in the authors' code:
    the cosine would rise again.

    Args:
        num_classes: identities that are trained on. embedding: numbers in an embedding.
        margin: in radians, in [0, π/2). scale: above 0; with a small one the loss of well separated identities does
            not vanish.

    Raises:
        ValueError: a margin or a scale beyond these.
    """

    reads: ClassVar[str | None] = "identity"

    def __init__(self, *, num_classes: int, embedding: int, margin: float, scale: float) -> None:
        super().__init__()
        if not 0 <= margin < math.pi / 2:
            raise ValueError(f"loss.margin={margin:g}: an angle in radians, from 0 to below π/2 = 1.571")
        if scale <= 0:
            raise ValueError(f"loss.scale={scale:g}: expected a number above 0")
        self.margin, self.scale = margin, scale
        self.directions = nn.Parameter(functional.normalize(torch.randn(num_classes, embedding)))

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of embeddings (B, d) of length 1, and ``identity`` int64 (B,), below ``num_classes``."""
        own = truth["identity"]
        cosine = at_least_single(answer) @ functional.normalize(self.directions).T
        of_own = functional.one_hot(own, len(self.directions)).bool()
        logits = self.scale * torch.where(of_own, self._with_margin(cosine), cosine)
        return Term("arcface", functional.cross_entropy(logits, own), len(own))

    def _with_margin(self, cosine: Tensor) -> Tensor:
        """cos(θ + margin) of cos θ."""
        sine = (1 - cosine.square()).clamp(min=_TINY).sqrt()
        moved = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = cosine - self.margin * math.sin(self.margin)
        return torch.where(cosine > -math.cos(self.margin), moved, beyond)


_TINY = 1e-12
"""The least square of a sine whose root is taken: the root of 0 has no slope."""
