"""Gradient norms that runs recorded: over the depth of the net, and over the training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.report.plain_text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, float | None]

FILE = "gradients.csv"
"""In a run's folder."""
PREFIX = "layer/"
TOTAL = "total"
CLIPPED = "clipped"
# From the palette of Okabe and Ito: told apart by the colour-blind, and in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "os^Dv<>"
_MOST_NAMES = 14
_MOST_TIMES = 5
_MOST_MARKERS = 40


def layers_of(rows: Sequence[Row]) -> list[str]:
    """The layers whose norms were recorded, from the input to the output."""
    names = dict.fromkeys(name for row in rows for name in row if name.startswith(PREFIX))
    return [name for name in names if any(row.get(name) is not None for row in rows)]


def gradient_summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The last row in short: the first and the last layer with their norms, their ratio, and the whole.

    Returns:
        Empty where nothing was recorded, or the net has no two layers that learn.
    """
    row = rows[-1] if rows else {}
    norms = {name.removeprefix(PREFIX): row[name] for name in layers_of(rows) if row.get(name) is not None}
    if len(norms) < 2:
        return {}
    (first, first_norm), *_, (last, last_norm) = norms.items()
    assert first_norm is not None and last_norm is not None
    content: dict[str, Any] = {
        "first": {"layer": first, "norm": first_norm},
        "last": {"layer": last, "norm": last_norm},
        "first_to_last": first_norm / last_norm if last_norm else None,
        "total": row.get(TOTAL),
    }
    return content | ({CLIPPED: row[CLIPPED]} if row.get(CLIPPED) is not None else {})


def draw_gradients(runs: Mapping[str, Sequence[Row]], path: Path, title: str) -> Path:
    """Write a PNG: the norm of every layer over the depth at the left, over the training at the right.

    Of one run all layers are drawn, at some times; of several the first and the last row over the depth, and each
    run's first layer over the training.

    Args:
        runs: the rows of gradients.csv by the run's name. title: a line above.
    """
    from matplotlib.ticker import MaxNLocator

    from cnnexp.visualize.png import figure_image, new_figure, write_png

    figure = new_figure(11.0, 4.8)
    figure.suptitle(printable(title), fontsize=11, parse_math=False)
    depth, time = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    if len(runs) == 1:
        rows = next(iter(runs.values()))
        _draw_depths(depth, rows)
        _draw_times(time, rows)
    else:
        for number, (name, rows) in enumerate(runs.items()):
            _draw_run(depth, time, printable(name), rows, number)
        depth.set_xlabel("layer, from the input to the output")
        depth.set_xticks([0, 0.25, 0.5, 0.75, 1], ["input", "¼", "½", "¾", "output"])
        time.set_title("the first layer, over the training", fontsize=10)
    depth.set_title("over the depth", fontsize=10)
    for axes in (depth, time):
        _dress(axes)
    time.set_xlabel(" and ".join(sorted({_unit(rows) for rows in runs.values()})))
    time.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return write_png(figure_image(figure), path)


def _draw_depths(axes: Axes, rows: Sequence[Row]) -> None:
    """All layers, at the first and the last time and some between them."""
    from matplotlib import colormaps

    layers = layers_of(rows)
    count = min(_MOST_TIMES, len(rows))
    places = sorted({round(number * (len(rows) - 1) / max(1, count - 1)) for number in range(count)})
    for number, place in enumerate(places):
        colour = colormaps["viridis"](0.85 * number / max(1, len(places) - 1))
        norms = [_positive(rows[place].get(layer)) for layer in layers]
        axes.plot(range(len(layers)), norms, marker="o", ms=4, lw=1.5, color=colour, label=_time(rows, place))
    if len(layers) <= _MOST_NAMES:
        names = [printable(layer.removeprefix(PREFIX)) for layer in layers]
        axes.set_xticks(range(len(layers)), names, rotation=30, ha="right", fontsize=8)
    else:
        axes.set_xlabel("layer, from the input to the output")


def _draw_times(axes: Axes, rows: Sequence[Row]) -> None:
    """Each layer by its depth's colour, and the norm of the whole gradient."""
    from matplotlib import colormaps

    layers, x = layers_of(rows), _times(rows)
    marker = "o" if len(rows) <= _MOST_MARKERS else ""
    named = {0, len(layers) - 1} if len(layers) > 7 else set(range(len(layers)))
    for number, layer in enumerate(layers):
        colour = colormaps["plasma"](0.85 * number / max(1, len(layers) - 1))
        norms = [_positive(row.get(layer)) for row in rows]
        label = printable(layer.removeprefix(PREFIX)) if number in named else None
        axes.plot(x, norms, marker=marker, ms=3, lw=1.4, color=colour, label=label)
    axes.plot(x, [_positive(row.get(TOTAL)) for row in rows], "k--", marker=marker, ms=3, lw=1.4, label="all together")
    clipped = rows[-1].get(CLIPPED)
    said = "" if clipped is None else f"; {clipped:.0%} of the last steps were clipped"
    axes.set_title(f"over the training{said}", fontsize=10)


def _draw_run(depth: Axes, time: Axes, name: str, rows: Sequence[Row], number: int) -> None:
    layers = layers_of(rows)
    colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
    places = [place / max(1, len(layers) - 1) for place in range(len(layers))]
    for place, line in ((0, ":"), (-1, "-")) if len(rows) > 1 else ((0, "-"),):
        norms = [_positive(rows[place].get(layer)) for layer in layers]
        label = f"{name}, {_time(rows, place)}"
        depth.plot(places, norms, line, marker=marker, ms=4, lw=1.5, color=colour, label=label)
    norms = [_positive(row.get(layers[0])) for row in rows]
    time.plot(_times(rows), norms, marker=marker, ms=4, lw=1.5, color=colour, label=name)


def _dress(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = (math.log10(value) for value in axes.get_ylim())
    if high - low < 2:  # whole decades, whose ends have figures
        axes.set_ylim(10 ** math.floor(low), 10 ** math.ceil(high))
    axes.set_ylabel("2-norm of the gradient, mean over steps")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _unit(rows: Sequence[Row]) -> str:
    """Epochs where each has one row, else steps."""
    return "epoch" if len({row.get("epoch") for row in rows}) == len(rows) else "step"


def _times(rows: Sequence[Row]) -> list[float]:
    return [row.get(_unit(rows)) or 0.0 for row in rows]


def _time(rows: Sequence[Row], place: int) -> str:
    return f"{_unit(rows)} {_times(rows)[place]:,.0f}"


def _positive(value: float | None) -> float:
    """What a logarithmic axis can show; a gap for the rest."""
    return value if value is not None and value > 0 and math.isfinite(value) else math.nan
