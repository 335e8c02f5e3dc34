"""Learning curves: how the loss and the score went, in training and in validation, on one picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from cnnexp.report.fitting import verdict
from cnnexp.report.notation import metric_figure
from cnnexp.report.plain_text import printable
from cnnexp.report.scores import higher_is_better, main_metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, float | None]
Points = list[tuple[float, float]]

# From the palette of Okabe and Ito: told apart by the colour-blind, and in grey.
_COLOURS = {"train": "#0072B2", "val": "#D55E00"}
_NAMES = {"train": "training", "val": "validation"}
_MARKERS = {"train": "o", "val": "s"}
_LINES = {"train": "-", "val": "--"}
_BEST_COLOUR = "#404040"
_MOST_MARKERS = 40
_LOG_SCALE_FROM = 100.0


def draw_curves(
    rows: Sequence[Row],
    path: Path,
    title: str,
    *,
    monitor: str | None = None,
    best_epoch: float | None = None,
    losses: Sequence[str] = ("loss",),
) -> Path:
    """Write the learning curves as a PNG: the loss on the left, the score on the right where there is one.

    Args:
        rows: the rows of metrics.csv, with ``epoch``, ``step`` and metrics such as ``train/loss``; gaps are None. Rows
            of single batches, between the epochs' rows, become a faint line.
        title: one line above the picture, such as the run's id.
        monitor: the metric that the task follows, such as ``val/miou``; without one a usual score is looked for.
        best_epoch: the epoch to mark; without one it is that of the best validation score.
        losses: the loss by name, or several that are minimised against one another: of those no epoch is the best, and
            no sum says how well the net fits.
    """
    from cnnexp.visualize.png import figure_image, new_figure, write_png

    of_epochs = rows_of_epochs(rows)
    places, unit = places_of(rows, of_epochs)
    score = _score(rows, monitor)
    panels = [*losses] + ([score] if score and score not in ("loss", *losses) else [])
    if len(losses) > 1:
        best_epoch = None
    elif best_epoch is None:
        best_epoch = _best_epoch(series(rows, places, f"val/{panels[-1]}", of_epochs), panels[-1])
    figure = new_figure(5.2 * len(panels) + (1.0 if len(panels) == 1 else 0.0), 4.2)
    closing = [row for row, closes in zip(rows, of_epochs, strict=True) if closes]
    said = None if len(losses) > 1 else verdict(closing, score)
    headline = printable(title) + (f"\n{said.split(';')[0]}" if said else "")
    figure.suptitle(headline, fontsize=11, parse_math=False)
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), place + 1)
        epochs = {stage: series(rows, places, f"{stage}/{panel}", of_epochs) for stage in _NAMES}
        batches = {stage: series(rows, places, f"{stage}/{panel}", [not one for one in of_epochs]) for stage in _NAMES}
        _draw_panel(axes, panel, epochs, batches, best_epoch if unit == "epoch" else None)
        if len(losses) > 1:
            axes.set_title(panel.replace("_", " "), fontsize=10, parse_math=False)
        axes.set_xlabel(unit)
    return write_png(figure_image(figure), path)


def series(rows: Sequence[Row], places: Sequence[float], name: str, of_epochs: Sequence[bool]) -> Points:
    """The points of a metric in the rows that are marked; what is missing or not finite is left out."""
    points = []
    for row, place, marked in zip(rows, places, of_epochs, strict=True):
        value = row.get(name)
        if marked and value is not None and math.isfinite(value) and math.isfinite(place):
            points.append((place, value))
    return points


def rows_of_epochs(rows: Sequence[Row]) -> list[bool]:
    """Which rows close an epoch: those with a validation, and the last one before another epoch begins.

    Where nothing was ever validated there are none: every row is of a batch.
    """
    validated = [any(name.startswith("val/") and value is not None for name, value in row.items()) for row in rows]
    if not any(validated):
        return validated
    epochs = [row.get("epoch") for row in rows]
    closing = [here is not None and there not in (None, here) for here, there in pairwise(epochs)] + [False]
    return [one or other for one, other in zip(validated, closing, strict=True)]


def places_of(rows: Sequence[Row], of_epochs: Sequence[bool]) -> tuple[list[float], str]:
    """Where each row stands on the horizontal axis, and the axis' unit.

    Rows of epochs stand at their epoch, those of batches between them by their step. Where no epoch was finished, the
    unit is the step.
    """
    steps = [_finite(row.get("step")) for row in rows]
    anchors = [
        (step, epoch)
        for row, step, marked in zip(rows, steps, of_epochs, strict=True)
        if marked and (epoch := _finite(row.get("epoch"))) is not None
    ]
    if not anchors:
        return [float(place) if step is None else step for place, step in enumerate(steps)], "step"
    places = []
    for row, step, marked in zip(rows, steps, of_epochs, strict=True):
        epoch = _finite(row.get("epoch"))
        if marked or step is None:
            places.append(math.nan if epoch is None else epoch)
        else:
            places.append(_between(step, anchors))
    return places, "epoch"


def _between(step: float, anchors: Sequence[tuple[float | None, float]]) -> float:
    """The fraction of an epoch at which a step lies, given the steps at which epochs ended."""
    known = [(end, epoch) for end, epoch in anchors if end is not None and end > 0]
    if not known:
        return math.nan
    (first_step, first_epoch), (last_step, last_epoch) = known[0], known[-1]
    if last_step > first_step:
        epochs_per_step = (last_epoch - first_epoch) / (last_step - first_step)
    else:
        epochs_per_step = 1 / first_step
    return first_epoch + (step - first_step) * epochs_per_step


def _score(rows: Sequence[Row], monitor: str | None) -> str | None:
    """The last part of the metric that the run is judged by, among those that were written down while training."""
    names = dict.fromkeys(name for row in rows for name, value in row.items() if "/" in name and value is not None)
    in_training = [name for name in names if not name.startswith("test/")]
    name = main_metric(in_training, monitor)
    return None if name is None else name.split("/", 1)[1]


def _best_epoch(validation: Points, score: str) -> float | None:
    sign = 1 if higher_is_better(score) else -1
    return max(validation, key=lambda point: sign * point[1])[0] if validation else None


def _draw_panel(
    axes: Axes, panel: str, epochs: Mapping[str, Points], batches: Mapping[str, Points], best: float | None
) -> None:
    for stage in _NAMES:
        if batches[stage]:
            _draw_batches(axes, batches[stage], stage, alone=not epochs[stage])
        if epochs[stage]:
            _draw_epochs(axes, epochs[stage], stage)
    points = [point for kind in (epochs, batches) for stage in _NAMES for point in kind[stage]]
    if best is not None and points:
        _mark_best(axes, panel, epochs["val"], best)
    _dress(axes, panel, points)
    axes.set_title(_heading(panel, epochs), fontsize=10, parse_math=False)


def _draw_batches(axes: Axes, points: Points, stage: str, alone: bool) -> None:
    x, y = zip(*points, strict=True)
    label = f"{_NAMES[stage]}, single batches"
    marker = _MARKERS[stage] if len(points) == 1 else ""
    axes.plot(x, y, color=_COLOURS[stage], alpha=0.9 if alone else 0.3, lw=1.0, marker=marker, ms=4, label=label)


def _draw_epochs(axes: Axes, points: Points, stage: str) -> None:
    x, y = zip(*points, strict=True)
    marker = _MARKERS[stage] if len(points) <= _MOST_MARKERS else ""
    axes.plot(x, y, _LINES[stage], color=_COLOURS[stage], lw=1.8, marker=marker, ms=4, label=_NAMES[stage])


def _mark_best(axes: Axes, panel: str, validation: Points, best: float) -> None:
    value = dict(validation).get(best)
    figure = "" if value is None else f" ({metric_figure(f'val/{panel}', value)})"
    axes.axvline(best, color=_BEST_COLOUR, lw=1.0, ls=":", zorder=0, label=f"best epoch {best:g}{figure}")
    if value is not None:
        axes.plot([best], [value], marker="*", ms=13, color=_COLOURS["val"], mec="black", mew=0.8, ls="", zorder=5)


def _dress(axes: Axes, panel: str, points: Points) -> None:
    from matplotlib.ticker import MaxNLocator

    if not points:
        axes.text(0.5, 0.5, "nothing was written down", ha="center", va="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
        return
    axes.set_ylabel(panel.replace("_", " "), parse_math=False)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.04)
    places, values = zip(*points, strict=True)
    if not higher_is_better(panel) and min(values) > 0 and max(values) / min(values) > _LOG_SCALE_FROM:
        axes.set_yscale("log")
    if min(places) == max(places):
        axes.set_xlim(places[0] - 1, places[0] + 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    # Below the panel, where it covers no curve.
    axes.legend(fontsize=9, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


def _heading(panel: str, epochs: Mapping[str, Points]) -> str:
    """The gap between validation and training at the end: what overfitting looks like as a number."""
    name = panel.replace("_", " ")
    train, validation = dict(epochs["train"]), dict(epochs["val"])
    shared = sorted(train.keys() & validation.keys())
    if not shared:
        return name
    gap = f"{validation[shared[-1]] - train[shared[-1]]:+.3g}".replace("-", "−")
    return f"{name}: validation − training = {gap} at the end"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
