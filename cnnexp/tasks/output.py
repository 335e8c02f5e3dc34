"""What a step of a task finds, and what the metrics of an epoch come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from cnnexp.losses.term import Term


@dataclass(frozen=True)
class StepOutput:
    """What a step found: what is minimised, and what the metrics compare."""

    terms: Sequence[Term]
    predictions: Any = None
    targets: Any = None

    @property
    def loss(self) -> Tensor:
        """The sum of the terms by which training and validation compare."""
        return total(term.mean for term in self.terms if term.judged)

    @property
    def learnt(self) -> Tensor:
        """What the gradients are of: the sum of all terms."""
        return total(term.mean for term in self.terms)


@dataclass(frozen=True)
class Readings:
    """The metrics at the end of an epoch: by short names (``accuracy``) numbers, lists with a value for each class;
    larger results of the test, such as the confusion matrix; what else was counted in it, by title and word; and a
    sentence on what went wrong, where something did. ``kinds`` are metrics of the test by name, each for some kinds of
    samples."""

    values: Mapping[str, float]
    vectors: Mapping[str, list[float]] = field(default_factory=dict)
    tables: Mapping[str, np.ndarray] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    remark: str | None = None
    kinds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def total(means: Iterable[Tensor]) -> Tensor:
    """The sum of some scalars, in their order."""
    first, *others = means
    for one in others:
        first = first + one
    return first
