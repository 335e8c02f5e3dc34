"""A score over a setting as a chart: a line for each kind of run, with every run and the interval of the mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.report.plain_text import printable
from cnnexp.report.score_over import Line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# From the palette of Okabe and Ito: told apart by the colour-blind.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_MARKERS = "osD^vPX"
_LOG_SCALE_FROM = 8.0
_MOST_REACH = 0.5  # of the range of all scores: how far beyond them a bar is shown
_MARGIN = 0.04


def draw_over(lines: Sequence[Line], over: str, metric: str, path: Path) -> Path:
    """Write the lines as a PNG: the means over the seeds with their 95 % intervals as bars, and each run as a ring."""
    from cnnexp.visualize.png import figure_image, new_figure, write_png

    figure = new_figure(6.4, 4.4)
    axes = figure.add_subplot()
    for line, colour, marker in zip(lines, COLOURS, _MARKERS, strict=False):
        _draw(axes, line, colour, marker)
    repeated = max(len(values) for line in lines for _, values in line.points)
    if repeated > 1:
        axes.set_ylim(*limits(lines))
        axes.set_title(_caption(lines), fontsize=9, color="0.35", loc="left")
    every = sorted({place for line in lines for place, _ in line.points})
    if every[0] > 0 and every[-1] / every[0] >= _LOG_SCALE_FROM:
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xticks(every, [f"{place:g}" for place in every])
    axes.set_xlabel(over, parse_math=False)
    axes.set_ylabel(metric, parse_math=False)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if any(line.label for line in lines):
        axes.legend(fontsize=9, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    return write_png(figure_image(figure), path)


def limits(lines: Sequence[Line]) -> tuple[float, float]:
    """The chart's lowest and highest score: all runs and bars are within.

    The interval of two seeds may be so wide that it would leave no room for anything else: of bars no more is shown
    than half of the scores' range on either side of them.
    """
    scores = [value for line in lines for _, values in line.points for value in values]
    low, high = min(scores), max(scores)
    room = (high - low) * _MOST_REACH
    estimates = [one for line in lines for one in line.estimates.values()]
    lowest = max(min([low, *(one.low for one in estimates if one.low is not None)]), low - room)
    highest = min(max([high, *(one.high for one in estimates if one.high is not None)]), high + room)
    margin = _MARGIN * (highest - lowest) or 0.01
    return lowest - margin, highest + margin


def _draw(axes: Axes, line: Line, colour: str, marker: str) -> None:
    places, means = list(line.estimates), [one.mean for one in line.estimates.values()]
    label = printable(line.label).replace("$", r"\$") or None
    axes.plot(places, means, color=colour, marker=marker, ms=5, lw=1.8, label=label, zorder=3)
    for place, values in line.points:
        one = line.estimates[place]
        if one.low is None or one.high is None:
            continue
        axes.errorbar(place, one.mean, yerr=(one.high - one.low) / 2, color=colour, lw=1.2, capsize=3, zorder=2)
        axes.plot([place] * len(values), values, "o", mfc="white", mec=colour, ms=3.5, mew=0.9, zorder=4)


def _caption(lines: Sequence[Line]) -> str:
    counts = sorted({len(values) for line in lines for _, values in line.points})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"means over {seeds} seeds, 95 % intervals; small rings are single runs"
