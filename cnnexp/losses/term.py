"""A term of what is minimised, and how terms are added up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Term:
    """A mean over some items.

    Attributes:
        name: as it is logged. mean: a scalar, over ``count`` items. count: samples (an int, the same in every process),
            or valid pixels or positives (a tensor, which may differ between processes and may be 0; the mean is then a
            sum over nothing, 0). judged: False for what is learnt and that evaluations do not have (auxiliary heads);
            it is no part of the loss by which training and validation are compared.
    """

    name: str
    mean: Tensor
    count: int | Tensor
    judged: bool = True


class Loss(nn.Module, ABC):
    """One term; ``terms`` is overridden by what has several. It may own parameters, which learn with the net.

    A constructor that asks for ``num_classes``, ``label_smoothing``, ``class_weights`` or a key of the task is given
    them.
    """

    reads: ClassVar[str | None] = None
    """The key of the truth that it is about, as tasks hand it over; None leaves it unsaid."""
    mixes: bool = False
    """Whether it knows what to do with samples that are blended of two (``mixed_label`` and ``mix``)."""
    of_whole_masks: bool = False
    """Whether single pixels are not enough: it looks at what lies around them, or measures a mask as one thing."""
    term: ClassVar[str | None] = None
    """What its term is called beside those of other losses; None for the name of its file."""
    alone: ClassVar[bool] = False
    """Whether it cannot stand beside other losses of the same truth."""
    compares: ClassVar[bool] = False
    """Whether it compares the samples of a batch with each other, so that the batch cannot be cut into parts."""

    @abstractmethod
    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        """The term for a batch.

        Args:
            answer: of the net. truth: by key, as the answer's form has it. train: False in evaluations, which are not
                smoothed.
        """

    @property
    def term_names(self) -> tuple[str, ...]:
        """Names of what ``terms`` has; a single one is the loss."""
        return ("loss",)

    @property
    def counts_in_advance(self) -> bool:
        """Whether all its terms have one count, or ``counts`` knows them."""
        return True

    def terms(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> list[Term]:
        """The terms for a batch, which are added up; arguments as for ``forward``."""
        return [self(answer, truth, train)]

    def counts(self, truth: Mapping[str, Tensor]) -> Mapping[str, int | Tensor]:
        """The count behind each term of a whole batch, where there are several."""
        return {}

    def count(self, truth: Mapping[str, Tensor]) -> int | Tensor:
        """The count that ``forward`` will have, for a loss that tells it from the truth alone."""
        raise NotImplementedError

    def weigh(self, weights: Tensor) -> None:
        """Give each class a factor, float32 (K,); for losses whose constructor asks for ``class_weights``."""
        raise NotImplementedError


def at_least_one(count: Any) -> Any:
    """What a sum is divided by: its count, or 1 where there was nothing to count (a sum of weights may be below 1)."""
    if isinstance(count, Tensor):
        return torch.where(count > 0, count, 1)
    return count or 1


def at_least_single(answer: Tensor) -> Tensor:
    """A net's answer in single precision, where mixed precision left it in half: exponentials and sums need it."""
    return answer.float() if answer.dtype in (torch.bfloat16, torch.float16) else answer
