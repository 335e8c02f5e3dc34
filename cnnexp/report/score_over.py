"""A score over a setting: what more data, a higher rate or a wider net gains, a line for each kind of run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.report.comparison import differing_keys, settings_of
from cnnexp.report.notation import is_number, setting_figure
from cnnexp.report.plain_text import printable
from cnnexp.report.scores import known_metrics, main_metric, monitored

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

# From the palette of Okabe and Ito: told apart by the colour-blind.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_MARKERS = "osD^vPX"
_LOG_SCALE_FROM = 8.0
_MOST_LINES = len(COLOURS)


@dataclass(frozen=True)
class Line:
    """The runs that differ in the setting and in their seed alone.

    Attributes:
        label: what tells them from the other lines. points: the setting's value with the scores of its runs, rising.
    """

    label: str
    points: tuple[tuple[float, tuple[float, ...]], ...]


def lines_over(records: Sequence[Record], over: str, metric: str | None) -> tuple[str, list[Line]]:
    """The metric's name and a line for each kind of run; runs without the metric or the setting are left out.

    Args:
        over: a configuration key with numbers, such as ``data.fraction``. metric: such as ``test/accuracy``; None is
            the score that the runs are judged by.

    Raises:
        InputError: no run has the metric or a number for the key, or there are too many kinds of runs.
    """
    settings = {record.id: settings_of(record) for record in records}
    if not any(is_number(one.get(over)) for one in settings.values()):
        hint = did_you_mean(over, {key for one in settings.values() for key, value in one.items() if is_number(value)})
        raise InputError(f"--over {over}: no run has a number there" + (f"; {hint}" if hint else ""))
    scores = {record.id: known_metrics(record) for record in records}
    name = metric or _common_score(records, scores)
    chosen = [one for one in records if is_number(settings[one.id].get(over)) and is_number(scores[one.id].get(name))]
    if not chosen:
        hint = did_you_mean(name, {key for one in scores.values() for key in one})
        raise InputError(f"--metric {name}: no run has it" + (f"; {hint}" if hint else ""))
    lines = []
    for label, kind in _kinds(chosen, settings, over).items():
        points: dict[float, list[float]] = {}
        for record in kind:
            points.setdefault(float(settings[record.id][over]), []).append(scores[record.id][name])
        lines.append(Line(label, tuple((place, tuple(points[place])) for place in sorted(points))))
    if len(lines) > _MOST_LINES:
        raise InputError(f"--over {over}: {len(lines)} kinds of runs are too many lines; name fewer runs")
    return name, lines


def draw_over(lines: Sequence[Line], over: str, metric: str, path: Path) -> Path:
    """Write the lines as a PNG: the mean of repeated runs, with a bar from the lowest to the highest."""
    from cnnexp.visualize.png import figure_image, new_figure, write_png

    figure = new_figure(6.4, 4.4)
    axes = figure.add_subplot()
    for line, colour, marker in zip(lines, COLOURS, _MARKERS, strict=False):
        places = [place for place, _ in line.points]
        means = [sum(values) / len(values) for _, values in line.points]
        reach = [[mean - min(values) for mean, (_, values) in zip(means, line.points, strict=True)]]
        reach.append([max(values) - mean for mean, (_, values) in zip(means, line.points, strict=True)])
        repeated = any(len(values) > 1 for _, values in line.points)
        axes.errorbar(
            places, means, yerr=reach if repeated else None, color=colour, marker=marker, lw=1.8, capsize=3,
            label=printable(line.label) or None,
        )  # fmt: skip
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


def _common_score(records: Sequence[Record], scores: Mapping[str, Mapping[str, float]]) -> str:
    found = [main_metric(scores[record.id], monitored(record)) for record in records]
    names = [name for name in found if name is not None]
    if not names:
        raise InputError("none of these runs has a score yet")
    return max(names, key=names.count)


def _kinds(records: Sequence[Record], settings: Mapping[str, Mapping[str, Any]], over: str) -> dict[str, list[Record]]:
    """The runs by what tells them apart beside the setting and the seed, in as few keys as do it."""
    keys = [key for key in differing_keys(records) if key not in (over, "seed", "name")]
    telling: list[str] = []
    for key in keys:
        if len(_parted(records, settings, [*telling, key])) > len(_parted(records, settings, telling)):
            telling.append(key)
    found: dict[str, list[Record]] = {}
    for record in records:
        label = ", ".join(f"{key}={_short(settings[record.id].get(key))}" for key in telling)
        found.setdefault(label, []).append(record)
    return found


def _parted(
    records: Sequence[Record], settings: Mapping[str, Mapping[str, Any]], keys: Sequence[str]
) -> set[tuple[str, ...]]:
    return {tuple(repr(settings[record.id].get(key)) for key in keys) for record in records}


def _short(value: Any) -> str:
    """A path is known by its last part."""
    return setting_figure(value).rsplit("/", 1)[-1]
