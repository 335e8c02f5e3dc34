"""Activations and their derivatives as one sheet, a panel each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnexp.visualize.activation_functions import FLAT, Measured
from cnnexp.visualize.matrix import figure as short
from cnnexp.visualize.png import figure_image, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

_VALUE, _SLOPE = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
_FLAT_GROUND = "#EEEEEE"
_COLUMNS = 4


def activations_image(measured: Sequence[Measured]) -> Image:
    """A panel for each: the curve, its derivative, and its flat ground shaded; all to one scale."""
    columns = min(_COLUMNS, len(measured))
    rows = math.ceil(len(measured) / columns)
    figure = new_figure(max(3.3 * columns, 4.5), 3.5 * rows + 0.5)
    low = min(-1.2, *(max(float(one.values.min()), -2.2) for one in measured))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, one in zip(grid, measured, strict=False):
        _draw(axes, one)
        axes.set_ylim(low, 2.6)
    for axes in grid[len(measured) :]:
        axes.axis("off")
    grid[0].legend(fontsize=8, frameon=False, loc="upper left")
    figure.supxlabel(f"x (grey ground: the derivative is below {FLAT:.0%} of its largest)", fontsize=10)
    return figure_image(figure)


def _draw(axes: Axes, one: Measured) -> None:
    ends = float(one.x[0]), float(one.x[-1])
    for start, stop in ((ends[0], one.flat_left), (one.flat_right, ends[1])):
        if start is not None and stop is not None and start < stop:
            axes.axvspan(start, stop, color=_FLAT_GROUND, zorder=0)
    axes.axhline(0, color="#999999", lw=0.7)
    axes.axvline(0, color="#999999", lw=0.7)
    axes.plot(one.x, one.values, color=_VALUE, lw=2, label="f(x)")
    axes.plot(one.x, _broken(one), "--", color=_SLOPE, lw=1.6, label="f′(x)")
    axes.set_title(f"{one.name}\n{one.description.formula}", fontsize=9)
    said = f"range {one.description.range}\nlargest f′ {short(one.largest)}"
    axes.text(0.97, 0.03, said, transform=axes.transAxes, ha="right", va="bottom", fontsize=8)
    axes.tick_params(labelsize=8, labelbottom=True)
    axes.set_xlim(*ends)
    axes.spines[["top", "right"]].set_visible(False)


def _broken(one: Measured) -> list[float]:
    """The derivative with a gap at 0 where it jumps."""
    jump = abs(one.left - one.right) > 1e-9
    return [math.nan if jump and x == 0 else float(y) for x, y in zip(one.x, one.slopes, strict=True)]
