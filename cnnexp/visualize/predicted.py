"""Predicted against true numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnexp.visualize.png import figure_image, new_figure, write_png

MOST_PANELS = 6
_BLUE, _GREY = "#0072B2", "#9A9A9A"
_MANY = 2000
"""Points from which on they are drawn smaller and paler."""


def draw_predicted(pairs: NDArray[np.float32], names: Sequence[str], path: Path, *, title: str = "") -> Path:
    """A panel for each of the first numbers: where a point is on the line, prediction and truth agree.

    Args:
        pairs: (N, 2K), the K true numbers and then the K predicted ones. names: of the K numbers.
    """
    shown = min(len(names), MOST_PANELS)
    columns = min(shown, 3)
    rows = -(-shown // columns)
    figure = new_figure(4.6 * columns, 4.4 * rows)
    figure.suptitle(title, fontsize=11, parse_math=False)
    true, said = pairs[:, : len(names)], pairs[:, len(names) :]
    many = len(pairs) > _MANY
    for place in range(shown):
        axes = figure.add_subplot(rows, columns, place + 1)
        both = np.concatenate([true[:, place], said[:, place]])
        ends = (float(both.min()), float(both.max()))
        axes.plot(ends, ends, color=_GREY, lw=1.0, zorder=1)
        axes.plot(true[:, place], said[:, place], "o", color=_BLUE, ms=2 if many else 3.5, alpha=0.35, mew=0, zorder=2)
        axes.set_xlabel(f"{names[place]}, true", parse_math=False)
        axes.set_ylabel(f"{names[place]}, predicted", parse_math=False)
        axes.set_aspect("equal", adjustable="datalim")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return write_png(figure_image(figure), path)
