"""Precision over recall, a curve for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.visualize.canvas import one_line
from cnnexp.visualize.palette import class_colour
from cnnexp.visualize.png import figure_image, new_figure, write_png

_MOST_NAMED = 24
"""Classes that have a colour and a line of the legend; of more only the weakest are named."""
_NAMED_OF_MANY = 12
_LONGEST_NAME = 22
_PALE = "0.82"
_DASHES = ("-", "--", ":")
_COLOURS = 8
"""After so many classes colours begin anew, with other dashes: lines on white need darker ones than boxes."""


def draw_precision_recall(curves: NDArray[Any], names: Sequence[str], path: Path, *, title: str = "") -> Path:
    """The curves as a PNG, their area, the average precision, behind the names; the mean of all in black.

    Args:
        curves: (R, K), the precision at recalls from 0 to 1 in equal steps; NaN for a class without any object.
        names: of the K classes.
    """
    curves = np.asarray(curves, float)
    recall = np.linspace(0, 1, len(curves))
    areas = curves.mean(axis=0)
    there = [place for place in range(len(names)) if np.isfinite(areas[place])]
    weakest = sorted(there, key=lambda place: areas[place])
    named = there if len(there) <= _MOST_NAMED else weakest[:_NAMED_OF_MANY]
    figure = new_figure(7.4, 4.6)
    axes = figure.add_subplot()
    for place in there:
        if place not in named:
            axes.plot(recall, curves[:, place], color=_PALE, lw=0.8, zorder=1)
    for order, place in enumerate(named):
        colour = tuple(part / 255 * 0.85 for part in class_colour(order % _COLOURS))
        dashes = _DASHES[order // _COLOURS % len(_DASHES)]
        label = f"{_short(names[place])}: {areas[place]:.3f}"
        axes.plot(recall, curves[:, place], color=colour, ls=dashes, lw=1.6, label=label, zorder=2)
    if len(there) > 1:
        mean = curves[:, there].mean(axis=1)
        axes.plot(recall, mean, color="black", lw=2.4, label=f"mean of {len(there)}: {mean.mean():.3f}", zorder=3)
    axes.set(xlim=(0, 1.005), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{title}: at IoU 0.50" if title else "at IoU 0.50", fontsize=11, parse_math=False)
    if there:
        heading = "average precision" if len(named) == len(there) else f"the weakest of {len(there)}, by AP"
        legend = axes.legend(
            title=heading, loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, title_fontsize=9, frameon=False
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
    return write_png(figure_image(figure), path)


def _short(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
