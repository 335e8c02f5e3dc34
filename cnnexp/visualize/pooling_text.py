"""Pooling as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnexp.visualize.matrix import figure
from cnnexp.visualize.pooling import Array, ShiftedRow, Window


def divided_lines(matrix: Array, windows: Sequence[Window]) -> list[str]:
    """The matrix with lines between windows that do not overlap, and the largest of each in brackets.

    Args:
        matrix: (H, W). windows: of it; those beyond the last whole window are shown without.
    """
    largest = {_largest(window) for window in windows}
    edges = [sorted({window.top for window in windows} - {0}), sorted({window.left for window in windows} - {0})]
    texts = [
        [
            f"[{figure(float(v))}]" if (row, column) in largest else f" {figure(float(v))} "
            for column, v in enumerate(line)
        ]
        for row, line in enumerate(matrix)
    ]
    width = max(len(text) for line in texts for text in line)
    lines = []
    for row, line in enumerate(texts):
        if row in edges[0]:
            lines.append("".join(("+" if column in edges[1] else "") + "-" * width for column in range(len(line))))
        lines.append(
            "".join(("|" if column in edges[1] else "") + f"{text:>{width}}" for column, text in enumerate(line))
        )
    return [line.rstrip() for line in lines]


def row_lines(row: ShiftedRow, by: int) -> list[str]:
    """A row before and after the shift, and how many of its values changed (marked with a star)."""
    changed = {"detectors": row.changed_detectors, "pooled": row.changed_pooled}
    lines = [f"{row.kind} pooling"]
    for name, one in (("before", row.before), ("after", row.after)):
        for what in ("pooled", "detectors"):
            values = one.pooled if what == "pooled" else one.detectors
            marks = changed[what] if name == "after" else np.zeros(len(values), bool)
            step = 1 if what == "detectors" else one.stride
            lines.append(f"  {name:<7} {what:<10}" + _spread(values, marks, step))
    lines.append(
        f"  moved right by {by}: {int(row.changed_detectors.sum())} of {len(row.changed_detectors)} detectors changed, "
        f"{int(row.changed_pooled.sum())} of {len(row.changed_pooled)} pooled values"
    )
    return lines


def _spread(values: Array, marks: Sequence[bool] | np.ndarray, step: int) -> str:
    """Each value under its detector; cells become narrower in a long row."""
    width = 7
    cells = (f"{figure(float(value))}{'*' if mark else ' '}" for value, mark in zip(values, marks, strict=True))
    return "".join(f"{cell:>{width}}" + " " * width * (step - 1) for cell in cells).rstrip()


def _largest(window: Window) -> tuple[int, int]:
    row, column = np.unravel_index(int(window.values.argmax()), window.values.shape)
    return window.top + int(row), window.left + int(column)
