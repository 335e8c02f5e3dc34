"""The mean absolute error of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from cnnexp.losses.term import Loss, Term


class AbsoluteError(Loss):
    """|answer - truth|, the mean over samples and their values (Lim et al. 2017, section 3.2)."""

    reads: ClassVar[str | None] = "picture"

    def count(self, truth: Mapping[str, Tensor]) -> int:
        """The samples."""
        return len(next(iter(truth.values())))

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of an answer (B, ...) and ``picture`` (B, ...), both in [0, 1]."""
        return Term("absolute_error", functional.l1_loss(answer, truth["picture"]), len(answer))
