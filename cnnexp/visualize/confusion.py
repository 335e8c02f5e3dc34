"""The confusion matrix: what each class was taken for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.visualize.canvas import one_line
from cnnexp.visualize.png import figure_image, new_figure, write_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

_LONGEST_NAME = 18
_TITLE_SIZE = 11.0
_TITLE_LINE_IN = _TITLE_SIZE * 1.2 / 72
# The root of the share is the depth of the colour: an error of 2 % would hardly be seen otherwise.
_DEPTH_EXPONENT = 0.5
# Above this depth a cell is so dark that its count is written in white.
_DARK_FROM = 0.55


def confusion_image(
    matrix: NDArray[Any], names: Sequence[str], *, title: str = "", heading: str | None = None
) -> Image:
    """Counts written into cells that are coloured by their share of the true class; empty cells stay white.

    Args:
        matrix: (K, K) counts; row = true class, column = predicted class. Up to about 100 classes can be read.
        names: of the K classes.
        title: a line above; the accuracy follows it. heading: what follows in place of the accuracy.

    Raises:
        ValueError: the matrix is not square, or not of the classes' number.
    """
    from matplotlib.colors import PowerNorm

    counts = np.asarray(matrix)
    if counts.shape != (len(names), len(names)) or not len(names):
        raise ValueError(f"a confusion matrix of {len(names)} classes must be square; this one is {counts.shape}")
    classes = len(names)
    digits = len(str(int(counts.max(initial=0))))
    few = classes <= 25
    font_size = 9.0 if few else 6.5
    cell_in = max(0.3 if few else 0.16, digits * font_size * 0.0105 + 0.06)
    labels = [_short(name) for name in names]
    edge_in = 0.9 + max(len(label) for label in labels) * font_size * 0.0085
    side_in = max(classes * cell_in, 2.2)
    above = _heading(counts, title, heading)
    height_in = side_in + edge_in + 0.5 + above.count("\n") * _TITLE_LINE_IN
    figure = new_figure(side_in + edge_in + 1.0, height_in, dots_per_inch=120 if few else 150)
    axes = figure.add_subplot()
    shares = row_shares(counts)
    norm = PowerNorm(_DEPTH_EXPONENT, vmin=0, vmax=1)
    drawn = axes.imshow(np.ma.masked_equal(shares, 0), cmap="Blues", norm=norm, aspect="equal")
    _write_counts(axes, counts, shares, font_size)
    _label(axes, labels, font_size)
    axes.set_title(above, fontsize=_TITLE_SIZE, parse_math=False)
    bar = figure.colorbar(drawn, ax=axes, shrink=min(1.0, 4 / side_in), aspect=25, pad=0.02)
    bar.set_ticks(
        [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1], labels=["0", "1%", "5%", "10%", "25%", "50%", "75%", "100%"]
    )
    bar.set_label("share of the true class", fontsize=9)
    return figure_image(figure)


def draw_confusion(
    matrix: NDArray[Any], names: Sequence[str], path: Path, *, title: str = "", heading: str | None = None
) -> Path:
    """Write `confusion_image` as a PNG."""
    return write_png(confusion_image(matrix, names, title=title, heading=heading), path)


def row_shares(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Each row divided by its sum; a class that never occurs has zeros.

    Args:
        counts: (K, K), not negative.

    Returns:
        (K, K), 0 to 1.
    """
    counts = np.asarray(counts, np.float64)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _write_counts(axes: Axes, counts: NDArray[Any], shares: NDArray[np.float64], font_size: float) -> None:
    for row, column in np.argwhere(counts):
        colour = "white" if shares[row, column] ** _DEPTH_EXPONENT > _DARK_FROM else "black"
        text = str(int(counts[row, column]))
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=font_size)


def _label(axes: Axes, labels: Sequence[str], font_size: float) -> None:
    places = range(len(labels))
    upright = max(len(label) for label in labels) > 2
    axes.set_xticks(places, labels, rotation=90 if upright else 0, fontsize=font_size, parse_math=False)
    axes.set_yticks(places, labels, fontsize=font_size, parse_math=False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_xticks(np.arange(-0.5, len(labels)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(labels)), minor=True)
    axes.grid(which="minor", color="0.88", lw=0.5)
    axes.tick_params(which="minor", length=0)


def _heading(counts: NDArray[Any], title: str, heading: str | None) -> str:
    total = int(counts.sum())
    if heading is not None:
        return f"{title}\n{heading}" if title else heading
    accuracy = f"accuracy {np.trace(counts) / total:.2%} ({total:,} samples)" if total else "no samples"
    return f"{title}: {accuracy}" if title else accuracy


def _short(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
