"""Error over the number of thinned nets in an average, beside the one net with scaled weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnexp.visualize.canvas import one_line
from cnnexp.visualize.png import figure_image, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

    from cnnexp.visualize.dropout import DropoutResult

_AVERAGE, _SCALED = "#0072B2", "#D55E00"  # of Okabe and Ito


def dropout_image(result: DropoutResult, title: str) -> Image:
    """The wrong answers at the left, the loss at the right.

    Args:
        title: a line above.
    """
    figure = new_figure(10.0, 4.2)
    figure.suptitle(one_line(title), fontsize=11, parse_math=False)
    left, right = figure.subplots(1, 2)
    draw_error(left, result)
    draw_loss(right, result)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(result.counts, [str(count) for count in result.counts])
        axes.minorticks_off()
        axes.set_xlabel("thinned nets in the average")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=8, frameon=False)
    return figure_image(figure)


def draw_error(axes: Axes, result: DropoutResult) -> None:
    """With one standard deviation over averages of other nets, where there are several."""
    spread = [one or 0.0 for one in result.spread]
    axes.errorbar(
        result.counts, result.error, yerr=spread, fmt="o-", color=_AVERAGE, ms=4, lw=1.5, capsize=2,
        label="mean of so many thinned nets ± one standard deviation",
    )  # fmt: skip
    axes.axhline(result.scaled_error, color=_SCALED, ls="--", lw=1.5, label="all units, weights scaled: one pass")
    axes.set_ylabel("part of wrong answers")


def draw_loss(axes: Axes, result: DropoutResult) -> None:
    axes.plot(result.counts, result.loss, "o-", color=_AVERAGE, ms=4, lw=1.5, label="mean of so many thinned nets")
    axes.axhline(result.scaled_loss, color=_SCALED, ls="--", lw=1.5, label="all units, weights scaled: one pass")
    axes.set_ylabel("cross entropy")
