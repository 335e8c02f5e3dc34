"""Learning rates over a run that has not begun, several schedules on one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cnnexp.report.plain_text import printable

# From the palette of Okabe and Ito, and line styles: told apart by the colour-blind, and in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINES = ("-", "--", "-.", ":")
_MOST_POINTS = 4000
_MOST_MARKED_EPOCHS = 60


def draw_rates(curves: Mapping[str, Sequence[float]], steps_per_epoch: int, path: Path, title: str) -> Path:
    """Write a PNG with the rate of every step, the epochs below and the steps above.

    Args:
        curves: the rates by the schedule's name, all of one length.
        title: one line above the picture.
    """
    from matplotlib.ticker import MaxNLocator

    from cnnexp.visualize.png import figure_image, new_figure, write_png

    figure = new_figure(8.0, 4.4)
    axes = figure.add_subplot(1, 1, 1)
    total = max(len(rates) for rates in curves.values())
    epochs = total / steps_per_epoch
    if epochs <= _MOST_MARKED_EPOCHS:
        for epoch in range(round(epochs) + 1):
            axes.axvline(epoch, color="0.9", lw=0.7, zorder=0)
    for number, (name, rates) in enumerate(curves.items()):
        # the last point is drawn once more at the end of its step
        places = [*_thinned(len(rates)), len(rates)]
        values = [rates[min(place, len(rates) - 1)] for place in places]
        style = _LINES[number % len(_LINES)]
        colour = _COLOURS[number % len(_COLOURS)]
        label = f"{printable(name)}: {_course(rates)}"
        x = [place / steps_per_epoch for place in places]
        axes.plot(x, values, style, color=colour, lw=1.8, drawstyle="steps-post", label=label)
    axes.set_title(printable(title), fontsize=10, parse_math=False)
    axes.set(xlabel="epoch", ylabel="learning rate", xlim=(0, epochs))
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    columns = 1 if len(curves) == 1 else 2
    axes.legend(fontsize=9, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns)
    return write_png(figure_image(figure), path)


def _thinned(count: int) -> range:
    return range(0, count, max(1, -(-count // _MOST_POINTS)))


def _course(rates: Sequence[float]) -> str:
    """First, highest where it lies between, and last rate."""
    first, highest, last = rates[0], max(rates), rates[-1]
    between = [highest] if highest > 1.001 * max(first, last) else []
    course = [first, *between] if first == last and not between else [first, *between, last]
    return " → ".join(f"{rate:.3g}" for rate in course)
