"""ROC curves: of pairs of two identities the part that is accepted, against that of pairs of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.visualize.png import figure_image, new_figure

_COLOURS = ("#0072B2", "#9A9A9A", "#D55E00", "#009E73")
_INK = "#D55E00"
_MOST_POINTS = 4000
"""Of longer curves so many points are drawn, evenly among them."""


def roc_image(
    curves: Mapping[str, tuple[NDArray[Any], NDArray[Any], float]], chosen: tuple[float, float] | None = None
) -> Image.Image:
    """The curves, each with its equal error where it meets the diagonal.

    Args:
        curves: by name, at most four: false accepts and true accepts, (R,) rising, and the equal error.
        chosen: false and true accepts at a threshold that was chosen beforehand.
    """
    figure = new_figure(5.6, 5.2)
    axes = figure.add_subplot()
    axes.plot([0, 1], [1, 0], color="0.8", lw=1.0, ls=":", zorder=1)
    for colour, (name, (false_accepts, true_accepts, equal_error)) in zip(_COLOURS, curves.items(), strict=False):
        kept = np.unique(np.linspace(0, len(false_accepts) - 1, min(len(false_accepts), _MOST_POINTS)).astype(int))
        label = f"{name}: equal error {equal_error:.3f}"
        axes.plot(false_accepts[kept], true_accepts[kept], color=colour, lw=1.8, label=label, zorder=2)
        axes.plot([equal_error], [1 - equal_error], "o", color=colour, ms=6, zorder=3)
    if chosen is not None:
        label = f"threshold of the validation: {chosen[0]:.3f}, {chosen[1]:.3f}"
        axes.plot([chosen[0]], [chosen[1]], "D", mfc="none", mec=_INK, mew=1.6, ms=8, label=label, zorder=4)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("false accepts: pairs of two identities taken for one")
    axes.set_ylabel("true accepts: pairs of one identity taken for one")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    legend = axes.legend(loc="lower right", fontsize=8.5, framealpha=0.9)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure_image(figure)
