"""What a score costs: groups of runs by score and cost, and those that no other beats in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.errors import InputError
from cnnexp.report.columns import Column, Grid, fitted
from cnnexp.report.comparison import COSTS, FACTS, Runs
from cnnexp.report.groups import EVERYTHING, Group, Grouped, group_runs
from cnnexp.report.groups_table import GroupsTable, left_out_note, unseen_note
from cnnexp.report.notation import count_figure, duration_figure, is_number, metric_figure, setting_figure
from cnnexp.report.plain_text import printable
from cnnexp.report.score_over_chart import COLOURS
from cnnexp.report.scores import higher_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.console import Console, ConsoleOptions, RenderResult

_CHEAPER = {
    "parameters": "with fewer parameters",
    "multiply_adds": "with fewer multiply-adds",
    "images_per_second": "at more pictures a second",
    "frames_per_second": "at more frames a second",
    "duration": "in less time",
}
CHOICES = (*COSTS, "duration")
_MORE_IS_BETTER = frozenset({"images_per_second", "frames_per_second"})
_LOG_SCALE_FROM = 8.0
_FEW_FIGURES = 1000.0
_LONGEST_LABEL = 90


@dataclass(frozen=True)
class Point:
    """A group with its mean cost and score; ``best`` where no other is at least as good in both and better in one."""

    group: Group
    cost: float
    score: float
    best: bool


@dataclass(frozen=True)
class TradeOff:
    """Points from the cheapest to the dearest.

    Attributes:
        left_out: groups whose runs do not have the cost.
    """

    grouped: Grouped
    cost: str
    points: tuple[Point, ...]
    left_out: int


def trade_off(runs: Runs, cost: str, words: Sequence[str], metric: str | None = None) -> TradeOff:
    """Groups of runs by cost and score.

    Args:
        cost: one of CHOICES. words, metric: as for ``group_runs``; no words are all settings that differ but the seed.

    Raises:
        InputError: no run has the cost, or the runs are on several data sets, whose scores say nothing of each other.
    """
    grouped = group_runs(runs, words or [EVERYTHING], metric)
    data = list(dict.fromkeys(str(record.choices.get("data")) for group in grouped.groups for record in group.records))
    if len(data) > 1:
        raise InputError(
            f"--trade-off: these runs are on {', '.join(map(printable, data))}; choose one with --where data={data[0]}"
        )
    costs = [_mean_cost(group, cost) for group in grouped.groups]
    pairs = [(group, value) for group, value in zip(grouped.groups, costs, strict=True) if value is not None]
    if not pairs:
        there = [name for name in CHOICES if any(_mean_cost(group, name) is not None for group in grouped.groups)]
        raise InputError(f"--trade-off {cost}: no run has it; these have {', '.join(there) or 'none'}")
    places = [(value, group.estimate.mean) for group, value in pairs]
    best = front(places, cost in _MORE_IS_BETTER, higher_is_better(grouped.metric))
    points = [Point(group, value, group.estimate.mean, best[place]) for place, (group, value) in enumerate(pairs)]
    points.sort(key=lambda point: point.cost, reverse=cost in _MORE_IS_BETTER)
    return TradeOff(grouped, cost, tuple(points), len(grouped.groups) - len(pairs))


def front(
    places: Sequence[tuple[float, float]], more_of_first: bool = False, more_of_second: bool = True
) -> list[bool]:
    """Whether each place is on the Pareto front: no other is at least as good in both and better in one.

    Args:
        places: (cost, score). more_of_first, more_of_second: is better.
    """
    signed = [(x if more_of_first else -x, y if more_of_second else -y) for x, y in places]
    highest: dict[float, float] = {}
    for x, y in signed:
        highest[x] = max(y, highest.get(x, y))
    best_so_far, reached = {}, float("-inf")
    for x in sorted(highest, reverse=True):
        best_so_far[x] = highest[x] > reached
        reached = max(reached, highest[x])
    return [best_so_far[x] and y == highest[x] for x, y in signed]


def _mean_cost(group: Group, cost: str) -> float | None:
    values = [FACTS[cost](record) for record in group.records]
    numbers = [float(value) for value in values if is_number(value)]
    return sum(numbers) / len(numbers) if numbers else None


class TradeOffTable:
    """The points, one a line, those of the front marked."""

    def __init__(self, found: TradeOff) -> None:
        self.found = found

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        columns, unseen = fitted(self.columns(), options.max_width)
        yield Grid(columns)
        if unseen:
            yield Text(unseen_note(unseen), style="dim")
        for line in self._notes():
            yield Text(line, style="dim")

    def columns(self) -> list[Column]:
        """For the terminal and for documents."""
        found = self.found
        order = {id(group): place for place, group in enumerate(found.grouped.groups)}
        rows = [order[id(point.group)] for point in found.points]
        figure = figure_of(found.cost)
        settings = [
            Column(
                one.header,
                tuple(one.cells[row] for row in rows),
                one.place,
                one.numeric,
                widest=one.widest,
                key=one.key,
            )
            for one in GroupsTable(found.grouped).columns()
            if one.key is not None
        ]
        metric = found.grouped.metric
        styles = tuple("bold green" if point.best else "" for point in found.points)
        return [
            Column("", tuple("*" if point.best else "" for point in found.points), 0, styles=styles),
            *settings,
            Column("n", tuple(str(point.group.estimate.n) for point in found.points), 1000, numeric=True),
            Column(found.cost, tuple(figure(point.cost) for point in found.points), 1001, numeric=True),
            Column(
                metric, tuple(metric_figure(metric, p.score) for p in found.points), 1002, numeric=True, styles=styles
            ),
        ]

    def _notes(self) -> Iterator[str]:
        yield f"* the front: nothing else scores as well {_CHEAPER[self.found.cost]}"
        if self.found.left_out:
            yield f"left out: {self.found.left_out} without {self.found.cost}"
        if self.found.grouped.left_out:
            yield left_out_note(self.found.grouped)


def figure_of(cost: str) -> Callable[[Any], str]:
    """How a cost is written."""
    return duration_figure if cost == "duration" else count_figure


def as_values(found: TradeOff) -> dict[str, Any]:
    """In plain values, for JSON."""
    points = [
        {
            "settings": dict(point.group.settings),
            "runs": [record.id for record in point.group.records],
            "n": point.group.estimate.n,
            found.cost: point.cost,
            "score": point.score,
            "on_front": point.best,
        }
        for point in found.points
    ]
    return {"metric": found.grouped.metric, "cost": found.cost, "points": points}


def as_rows(found: TradeOff) -> list[dict[str, Any]]:
    """A row for each point, for a spreadsheet."""
    return [
        {
            **point.group.settings,
            "n": point.group.estimate.n,
            found.cost: point.cost,
            found.grouped.metric: point.score,
            "on_front": point.best,
        }
        for point in found.points
    ]


def draw_trade_off(found: TradeOff, path: Path) -> Path:
    """Write the points as a PNG, with the front as a line of steps and its points by name."""
    from cnnexp.visualize.png import figure_image, new_figure, write_png

    figure = new_figure(6.8, 4.6)
    axes = figure.add_subplot()
    others = [point for point in found.points if not point.best]
    best = [point for point in found.points if point.best]
    if others:
        axes.scatter([p.cost for p in others], [p.score for p in others], color="0.6", s=34, label="beaten by another")
    axes.step([p.cost for p in best], [p.score for p in best], where="post", color=COLOURS[0], lw=1.4, alpha=0.6)
    axes.errorbar(
        [p.cost for p in best], [p.score for p in best], yerr=[p.group.estimate.sd or 0.0 for p in best],
        color=COLOURS[0], marker="o", ls="", capsize=3, label="front, ± standard deviation of seeds",
    )  # fmt: skip
    costs = [point.cost for point in found.points]
    if min(costs) > 0 and max(costs) / min(costs) >= _LOG_SCALE_FROM:
        _scale_by_factors(axes, max(costs) / min(costs))
    axes.xaxis.set_major_formatter("{x:,.6g}")
    _number_points(axes, best)
    axes.margins(x=0.12, y=0.12)
    axes.set_xlabel(_axis_name(found.cost))
    axes.set_ylabel(found.grouped.metric, parse_math=False)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=9, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    return write_png(figure_image(figure), path)


def _scale_by_factors(axes: Axes, reach: float) -> None:
    """A logarithmic axis with figures at 1, 2, 5, 10, or at the powers of ten alone where they would be many."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if reach < _FEW_FIGURES else (1,)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _number_points(axes: Axes, points: Sequence[Point]) -> None:
    """A number at each point, and under the chart what it stands for: names beside points would cover others."""
    keys = [key for key in points[0].group.settings if len({str(p.group.settings.get(key)) for p in points}) > 1]
    for number, point in enumerate(points, start=1):
        axes.annotate(
            str(number), (point.cost, point.score), xytext=(-8, 0), textcoords="offset points",
            ha="right", va="center", fontsize=10, fontweight="bold", color=COLOURS[0],
        )  # fmt: skip
        axes.plot([], [], ls="", marker=f"${number}$", color=COLOURS[0], label=_label(point.group.settings, keys))


def _label(settings: Mapping[str, Any], keys: Sequence[str]) -> str:
    words = [f"{key}={setting_figure(settings[key])}" for key in keys or settings]
    text = printable(", ".join(words))
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _axis_name(cost: str) -> str:
    units = {
        "duration": "duration (s)",
        "images_per_second": "training pictures per second",
        "frames_per_second": "frames per second, one at a time",
    }
    return units.get(cost, cost.replace("_", "-") if cost == "multiply_adds" else cost)
