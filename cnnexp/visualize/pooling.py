"""Pooling with its numbers: windows of a matrix, and a row of detectors that moves by a place.

A convolution's output is divided into windows, and each is summed up by one number (Goodfellow, Bengio, Courville 2016,
"Deep learning", section 9.3). In a row whose windows overlap, a shift by one changes every input, and of the maxima
only some (figure 9.8 there).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.models.pooling import Pooling, pool

Array = NDArray[np.float64]

KINDS: dict[str, Pooling] = {name: name for name in get_args(Pooling)}
FORMULAS = {
    "max": "the largest",
    "average": "Σ x / n",
    "l2": "√(Σ x²), the root of the sum of squares",
}
_SUMMED: dict[Pooling, Callable[[Array], float]] = {
    "max": lambda x: float(x.max()),
    "average": lambda x: float(x.mean()),
    "l2": lambda x: float(np.sqrt(np.square(x).sum())),
}
BOOK_ENTERING = 0.3
"""What comes in at the left of the row in figure 9.8."""


@dataclass(frozen=True)
class Window:
    """A place that is summed up.

    Attributes:
        top, left: of its corner. values: (kernel, kernel).
    """

    top: int
    left: int
    values: Array

    @property
    def mean_square_root(self) -> float:
        """√(Σ x² / n): the L2 norm divided by √n, which does not grow with the window."""
        return float(np.sqrt(np.square(self.values).mean()))


def pooled(values: Array, kind: Pooling, kernel: int, stride: int) -> Array:
    """Each channel pooled by the layer that nets have.

    Args:
        values: (C, H, W). kernel, stride: sides in pixels; what lies in no whole window is left out.

    Returns:
        (C, ⌊(H − kernel) / stride⌋ + 1, and the same of W).
    """
    found: Array = pool(kind, kernel, stride)(torch.from_numpy(np.ascontiguousarray(values))[None])[0].numpy()
    return found


def windows(matrix: Array, kernel: int, stride: int) -> list[Window]:
    """The windows of a matrix (H, W), row by row."""
    height, width = matrix.shape
    return [
        Window(top, left, matrix[top : top + kernel, left : left + kernel])
        for top in range(0, height - kernel + 1, stride)
        for left in range(0, width - kernel + 1, stride)
    ]


def left_over(side: int, kernel: int, stride: int) -> int:
    """Rows or columns at the end that no window reaches."""
    return (side - kernel) % stride if stride >= kernel else max(0, (side - kernel) % stride)


@dataclass(frozen=True)
class Row:
    """A row of detectors and what is pooled of it.

    Attributes:
        detectors: (n,). spans: first and behind last detector of each window. pooled: a value for each of them.
        stride: between the middles of windows, the first of which is the first detector.
    """

    detectors: Array
    spans: list[tuple[int, int]]
    pooled: Array
    stride: int


@dataclass(frozen=True)
class ShiftedRow:
    """A row before and after a shift to the right, under one kind of pooling."""

    kind: Pooling
    before: Row
    after: Row

    @property
    def changed_detectors(self) -> NDArray[np.bool_]:
        return self.before.detectors != self.after.detectors

    @property
    def changed_pooled(self) -> NDArray[np.bool_]:
        return ~np.isclose(self.before.pooled, self.after.pooled, rtol=1e-12, atol=1e-12)


def pooled_row(detectors: Array, kind: Pooling, kernel: int, stride: int) -> Row:
    """A row pooled over windows around every `stride`-th detector, cut at the ends of the row as in figure 9.8.

    Args:
        detectors: (n,). kernel: detectors of a window; of an even number one more lies at the right.
    """
    before = (kernel - 1) // 2
    spans = [
        (max(0, middle - before), min(len(detectors), middle - before + kernel))
        for middle in range(0, len(detectors), stride)
    ]
    return Row(detectors, spans, np.array([_SUMMED[kind](detectors[start:end]) for start, end in spans]), stride)


def moved_right(detectors: Array, by: int, entering: Sequence[float]) -> Array:
    """The row moved by some places; what comes in at the left stands in the order in which it lies there.

    Args:
        entering: `by` values, or one that is repeated.

    Raises:
        ValueError: another number of them, or nothing of the row would be left.
    """
    if not 0 <= by < len(detectors):
        raise ValueError(f"a shift by {by} of a row of {len(detectors)}")
    if len(entering) not in (1, by):
        raise ValueError(f"{len(entering)} values come in over {by} places")
    values = list(entering) * by if len(entering) == 1 else list(entering)
    return np.concatenate([np.array(values[:by], float), detectors[: len(detectors) - by]])


def shift_row(
    detectors: Array, kind: Pooling, kernel: int, stride: int, by: int, entering: Sequence[float]
) -> ShiftedRow:
    """A row and the row moved to the right, both pooled."""
    after = moved_right(detectors, by, entering)
    return ShiftedRow(kind, pooled_row(detectors, kind, kernel, stride), pooled_row(after, kind, kernel, stride))
