"""A search on one picture: how it went, which settings led to which score, what mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial, TrialState

from cnnexp.report.plain_text import printable
from cnnexp.sweep.plan import Plan
from cnnexp.sweep.space import Choice, Dimension
from cnnexp.sweep.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# From the palette of Okabe and Ito: told apart by the colour-blind.
_BLUE, _ORANGE, _GREY, _RED = "#0072B2", "#E69F00", "#9A9A9A", "#D55E00"
_MAP, _BRIGHTEST = "viridis", 0.92  # its last yellow is hard to see on white
_SPREAD, _GOLDEN_RATIO = 0.06, 0.618033988749895
_LOWEST, _HIGHEST = 0.04, 0.96  # of the values on an axis from 0 to 1
_LONGEST_LABEL = 18
_MOST_LABELS = 8


def draw_search(plan: Plan, study: Study, importances: Mapping[str, float], path: Path) -> Path:
    """Write the picture of a search that has at least one finished trial, as a PNG."""
    from cnnexp.visualize.png import figure_image, new_figure, write_png

    trials = study.trials()
    axes_count = len(plan.candidates.dimensions) + 1
    figure = new_figure(max(10.0, 1.6 * axes_count), 8.0)
    figure.suptitle(printable(path.absolute().parents[1].name), fontsize=11, parse_math=False)
    rows = figure.add_gridspec(2, 1, height_ratios=(1.0, 1.15))
    top = rows[0].subgridspec(1, 2 if importances else 1, width_ratios=(1.7, 1.0) if importances else None)
    _draw_history(figure.add_subplot(top[0]), plan, trials)
    if importances:
        _draw_importances(figure.add_subplot(top[1]), importances)
    _draw_coordinates(figure.add_subplot(rows[1]), plan, study, trials)
    return write_png(figure_image(figure), path)


def _draw_history(axes: Axes, plan: Plan, trials: Sequence[FrozenTrial]) -> None:
    """Each trial's score in the order of their numbers, and the best so far."""
    from matplotlib.ticker import MaxNLocator

    better = max if plan.mode == "max" else min
    finished = [(trial.number, trial.value) for trial in trials if _is_finished(trial) and trial.value is not None]
    pruned = [(t.number, t.value) for t in trials if t.state == TrialState.PRUNED and t.value is not None]
    failed = [trial.number for trial in trials if trial.state == TrialState.FAIL]
    best, steps = None, []
    for number, value in finished:
        best = value if best is None else better(best, value)
        steps.append((number, best))
    steps.append((max(len(trials) - 1, 1), steps[-1][1]))
    axes.step(*zip(*steps, strict=True), where="post", color=_BLUE, lw=1.6, label="best so far")
    axes.plot(*zip(*finished, strict=True), "o", color=_BLUE, ms=5.5, alpha=0.85, label="finished")
    if pruned:
        axes.plot(*zip(*pruned, strict=True), "o", mec=_GREY, mfc="none", ms=5.5, label="pruned (its last score)")
    if failed:
        axes.plot(failed, [0.02] * len(failed), "x", color=_RED, transform=axes.get_xaxis_transform(), label="failed")
    axes.set_xlabel("trial")
    axes.set_ylabel(plan.monitor, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=9, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.13), ncols=4)


def _is_finished(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.COMPLETE


def _draw_importances(axes: Axes, importances: Mapping[str, float]) -> None:
    names = list(importances)[::-1]
    shares = [importances[name] for name in names]
    axes.barh([_short(name) for name in names], shares, color=_ORANGE, height=0.6)
    for place, share in enumerate(shares):
        axes.text(share + 0.015, place, f"{share:.2f}", va="center", fontsize=9)
    axes.set_xlim(0, max(shares) * 1.15 + 0.05)
    axes.set_ylim(-0.8, len(names) - 0.2)
    axes.set_xlabel("importance (share of the score's variance)")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_coordinates(axes: Axes, plan: Plan, study: Study, trials: Sequence[FrozenTrial]) -> None:
    """A line for each trial through its settings to its score, coloured by it; pruned ones thin, to their last score.

    The axis of scores ends at the worst finished trial or the middle pruned one: a few that learnt nothing would push
    all others together. What is worse ends below it.
    """
    from matplotlib import colormaps

    dimensions = plan.candidates.dimensions
    scored = [trial for trial in trials if trial.value is not None and math.isfinite(trial.value)]
    worst, best = _score_range(plan, scored)
    for trial in sorted(scored, key=lambda trial: (_is_finished(trial), _share(trial.value or 0.0, worst, best))):
        share = _share(trial.value or 0.0, worst, best)
        settings = _heights(dimensions, study.point(trial), trial.number)
        heights = [*settings, _LOWEST + (_HIGHEST - _LOWEST) * share if share >= 0 else 0.0]
        width, alpha, order = (1.8, 0.9, 2) if _is_finished(trial) else (0.8, 0.45, 1)
        colour = colormaps[_MAP](_BRIGHTEST * max(0.0, share))
        axes.plot(range(len(heights)), heights, color=colour, alpha=alpha, lw=width, zorder=order)
    for place, one in enumerate(dimensions):
        _draw_axis(axes, place, one.key, _ticks(one))
    _draw_axis(axes, len(dimensions), plan.monitor, _score_ticks(worst, best))
    axes.set_xlim(-0.25, len(dimensions) + 0.35)
    axes.set_ylim(-0.06, 1.12)
    axes.axis("off")
    if any(not _is_finished(trial) for trial in scored):
        axes.text(0.5, 0.0, "thin: pruned, to its last score", ha="center", fontsize=9, transform=axes.transAxes)


def _score_range(plan: Plan, scored: Sequence[FrozenTrial]) -> tuple[float, float]:
    """The worst and the best score of the axis, which stand at its bottom and its top."""
    better, worse = (max, min) if plan.mode == "max" else (min, max)
    finished = [trial.value or 0.0 for trial in scored if _is_finished(trial)]
    pruned = [trial.value or 0.0 for trial in scored if not _is_finished(trial)]
    return worse([*finished, *([median(pruned)] if pruned else [])]), better([*finished, *pruned])


def _share(value: float, worst: float, best: float) -> float:
    return 0.5 if worst == best else (value - worst) / (best - worst)


def _score_ticks(worst: float, best: float) -> list[tuple[float, str]]:
    from matplotlib.ticker import MaxNLocator

    low, high = min(worst, best), max(worst, best)
    values = [v for v in MaxNLocator(6).tick_values(low, high) if low <= v <= high] if high > low else [low]
    return [(_LOWEST + (_HIGHEST - _LOWEST) * _share(value, worst, best), f"{value:.4g}") for value in values]


def _draw_axis(axes: Axes, place: int, name: str, ticks: Sequence[tuple[float, str]]) -> None:
    axes.plot([place, place], [0.0, 1.0], color="#303030", lw=1.1, zorder=3)
    axes.text(place, 1.05, _short(name), ha="center", fontsize=10, weight="bold", parse_math=False)
    for height, label in ticks:
        axes.plot([place - 0.012, place + 0.012], [height, height], color="#303030", lw=1.1, zorder=3)
        axes.text(
            place + 0.025, height, label, va="center", fontsize=9, zorder=4, parse_math=False,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip


def _heights(dimensions: Sequence[Dimension], point: Mapping[str, str], number: int) -> list[float]:
    """A trial's places on the axes; where many share a name, each a little beside the others, so that one sees them."""
    aside = _SPREAD * (number * _GOLDEN_RATIO % 1.0 - 0.5)
    return [_height(one, point[one.key]) + (aside if isinstance(one, Choice) else 0.0) for one in dimensions]


def _height(one: Dimension, text: str) -> float:
    """Where a value stands on its axis."""
    if isinstance(one, Choice):
        share = one.texts.index(text) / max(1, len(one.texts) - 1)
    else:
        scale = math.log if one.log else float
        share = (scale(float(text)) - scale(one.low)) / (scale(one.high) - scale(one.low))
    return _LOWEST + (_HIGHEST - _LOWEST) * min(1.0, max(0.0, share))


def _ticks(one: Dimension) -> list[tuple[float, str]]:
    if isinstance(one, Choice):
        every = max(1, math.ceil(len(one.texts) / _MOST_LABELS))
        return [(_height(one, text), _short(text)) for text in one.texts[::every]]
    if one.log:
        powers = range(math.ceil(math.log10(one.low) - 1e-9), math.floor(math.log10(one.high) + 1e-9) + 1)
        values: list[float] = [10.0**power for power in powers] if len(powers) > 1 else [one.low, one.high]
    else:
        values = [one.low + part * (one.high - one.low) for part in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return [(_height(one, str(value)), f"{value:.4g}") for value in values]


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _LONGEST_LABEL else f"…{text[1 - _LONGEST_LABEL :]}"
