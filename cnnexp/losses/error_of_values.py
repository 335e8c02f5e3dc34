"""The error of numbers: squared, absolute, or Huber's between the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from torch import Tensor
from torch.nn import functional

from cnnexp.losses.term import Loss, Term

Kind = Literal["squared", "absolute", "huber"]
KINDS: tuple[Kind, ...] = ("squared", "absolute", "huber")


class ErrorOfValues(Loss):
    """The mean over samples and their numbers of the error e = answer - truth, both standardised.

    squared: e². absolute: |e|. huber: e² / 2 up to ``delta``, and delta (|e| - delta / 2) beyond, so that a few wild
    numbers do not rule (Huber 1964, "Robust estimation of a location parameter").

    Args:
        delta: in standard deviations, above 0; for ``huber``.

    Raises:
        ValueError: no such kind, or delta is not above 0.
    """

    reads: ClassVar[str | None] = "value"

    def __init__(self, kind: Kind = "squared", delta: float = 1.0) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"loss.kind={kind}: must be one of {', '.join(KINDS)}")
        if delta <= 0:
            raise ValueError(f"loss.delta={delta}: must be above 0")
        self.kind, self.delta = kind, delta

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """Of an answer (B, K) and ``value`` (B, K)."""
        return Term(f"{self.kind}_error", self._mean(answer, truth["value"]), len(answer))

    def _mean(self, answer: Tensor, value: Tensor) -> Tensor:
        if self.kind == "squared":
            return functional.mse_loss(answer, value)
        if self.kind == "absolute":
            return functional.l1_loss(answer, value)
        return functional.huber_loss(answer, value, delta=self.delta)
