"""Groups of runs and their differences, for a terminal of 80 columns and as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from cnnexp.report.columns import Column, Grid, fitted
from cnnexp.report.examples import Paired
from cnnexp.report.groups import MOST_COMPARED, Group, Grouped, Pair
from cnnexp.report.notation import MISSING, is_number, metric_figure, setting_figure
from cnnexp.report.plain_text import listed, printable
from cnnexp.report.scores import higher_is_better
from cnnexp.statistics.means import LEVEL, MOST_SEEDS, Estimate

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

MOST_PAIRS = 15
_WIDEST_SETTING = 24
_MOST_NAMED = 4
_MOST_UNSEEN = 12


class GroupsTable:
    """Groups with their means, the pairs of them with what is known of their difference, and how to read it."""

    def __init__(self, grouped: Grouped) -> None:
        self.grouped = grouped

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        yield Text(self._heading(), style="bold")
        columns, unseen = fitted(self.columns(), options.max_width)
        yield Grid(columns)
        shown = self._shown_pairs()
        if shown:
            yield Text()
            yield Grid(self._pair_columns(shown))
        for line in self._notes(shown, unseen):
            yield Text(line, style="dim")

    def _heading(self) -> str:
        order = "higher" if higher_is_better(self.grouped.metric) else "lower"
        return printable(f"{self.grouped.metric} ({order} is better), the mean over {self._over()}")

    def _over(self) -> str:
        if not self.grouped.varying:
            return "single runs"
        return listed(["seeds" if key == "seed" else key for key in self.grouped.varying], _MOST_NAMED)

    def columns(self) -> list[Column]:
        """The groups, one a line."""
        grouped = self.grouped
        estimates = [group.estimate for group in grouped.groups]
        settings = [self._setting(key, 10 + place) for place, key in enumerate(grouped.keys)]
        figures = [metric_figure(grouped.metric, one.mean) for one in estimates]
        return [
            Column("", tuple(map(letter, range(len(estimates)))), 0),
            *settings,
            Column("n", tuple(str(one.n) for one in estimates), 1000, numeric=True),
            Column("mean", tuple(figures), 1001, numeric=True),
            Column("sd", tuple(_sd_figure(grouped.metric, one) for one in estimates), 1002, numeric=True),
            Column("95 % interval", tuple(self._interval(one.low, one.high) for one in estimates), 1003, numeric=True),
        ]

    def _setting(self, key: str, place: int) -> Column:
        values = [group.settings[key] for group in self.grouped.groups]
        last = key.rsplit(".", 1)[-1]
        alone = [other.rsplit(".", 1)[-1] for other in self.grouped.keys].count(last) == 1
        header = printable(last if alone else key)
        cells = tuple(MISSING if value is None else setting_figure(value) for value in values)
        numeric = all(value is None or is_number(value) for value in values)
        return Column(header, cells, place, numeric, widest=max(_WIDEST_SETTING, len(header)), key=key)

    def _interval(self, low: float | None, high: float | None) -> str:
        if low is None or high is None:
            return MISSING
        return f"{metric_figure(self.grouped.metric, low)} to {metric_figure(self.grouped.metric, high)}"

    def _shown_pairs(self) -> list[Pair]:
        tested = [pair for pair in self.grouped.pairs if pair.seeds is not None]
        return tested if len(tested) <= MOST_PAIRS else [pair for pair in tested if pair.first == 0][:MOST_PAIRS]

    def _pair_columns(self, pairs: Sequence[Pair]) -> list[Column]:
        seeds = [pair.seeds for pair in pairs if pair.seeds is not None]
        metric = self.grouped.metric
        intervals = [
            MISSING if one.low is None else f"{signed(metric, one.low)} to {signed(metric, one.high)}" for one in seeds
        ]
        corrected = "p (Holm)" if len(self.grouped.pairs) > 1 else "p"
        styles = tuple("green" if pair.p is not None and pair.p < LEVEL else "yellow" for pair in pairs)
        return [
            Column("", tuple(f"{letter(pair.first)} − {letter(pair.second)}" for pair in pairs), 0),
            Column("difference", tuple(signed(metric, one.value) for one in seeds), 1, numeric=True),
            Column("95 % interval", tuple(intervals), 2, numeric=True),
            Column(corrected, tuple(p_figure(pair.p) for pair in pairs), 3, numeric=True),
            Column("effect", tuple(_effect(one.effect) for one in seeds), 4, numeric=True),
            Column("", tuple(map(said, pairs)), 5, styles=styles),
        ]

    def _notes(self, shown: Sequence[Pair], unseen: Sequence[str]) -> Iterator[str]:
        grouped = self.grouped
        if unseen:
            yield unseen_note(unseen)
        methods = dict.fromkeys(pair.seeds.method for pair in shown if pair.seeds is not None)
        if methods:
            yield f"by {' and '.join(methods)}; effect in standard deviations"
        if len(shown) < sum(pair.seeds is not None for pair in grouped.pairs):
            yield f"{len(grouped.pairs):,} pairs were compared; shown are those with A (--json has all)"
        if not grouped.compared:
            yield f"more than {MOST_COMPARED} groups: name fewer runs or keys to have them compared"
        others = [key for key in grouped.varying if key != "seed"]
        if others:
            yield f"runs of a group differ in {listed(others, _MOST_NAMED)} too: group by it, or filter with --where"
        for pair in grouped.pairs:
            if pair.examples is not None:
                yield from picture_lines(pair.examples, f"{letter(pair.first)} − {letter(pair.second)}")
        if grouped.left_out:
            yield left_out_note(grouped)


def left_out_note(grouped: Grouped) -> str:
    """How many runs could not be used."""
    runs = "run" if grouped.left_out == 1 else "runs"
    return f"left out: {grouped.left_out:,} {runs} not finished or without {printable(grouped.metric)}"


def unseen_note(keys: Sequence[str]) -> str:
    """The settings for which the terminal had no room."""
    return f"also differing: {listed(keys, _MOST_UNSEEN)} (wider terminal, --json or --csv)"


def picture_lines(pictures: Paired | str, label: str) -> Iterator[str]:
    """What the test pictures say of two runs, in a line or two."""
    if isinstance(pictures, str):
        yield f"picture by picture: {printable(pictures)}"
        return
    interval = f"95 % interval {pictures.low:+.4g} to {pictures.high:+.4g}".replace("-", "−")
    value = f"{pictures.value:+.4g}".replace("-", "−")
    yield f"picture by picture: {label} = {value} in {pictures.name}, {interval}"
    counts = ""
    if pictures.only_first is not None:
        counts = f": {pictures.only_first:,} right with the first alone, {pictures.only_second:,} with the second"
    yield f"{pictures.method}, {pictures.n:,} pictures{counts}; {_p_said(pictures.p)}"
    yield "this judges the two nets; whether their settings differ, several seeds will tell"


def as_values(grouped: Grouped) -> dict[str, Any]:
    """Everything in plain values, for JSON."""
    return {
        "metric": grouped.metric,
        "group_by": list(grouped.keys),
        "mean_over": list(grouped.varying),
        "left_out": grouped.left_out,
        "groups": [_group_values(group) for group in grouped.groups],
        "pairs": [{**asdict(pair), "p": pair.p} for pair in grouped.pairs],
    }


def as_rows(grouped: Grouped) -> list[dict[str, Any]]:
    """A row for each group, for a spreadsheet."""
    return [{**group.settings, **asdict(group.estimate)} for group in grouped.groups]


def _group_values(group: Group) -> dict[str, Any]:
    return {
        "settings": dict(group.settings),
        "runs": [record.id for record in group.records],
        "values": list(group.units.values()),
        **asdict(group.estimate),
    }


def said(pair: Pair) -> str:
    """What a comparison comes to."""
    if pair.seeds is None:
        return ""
    if pair.p is None:
        return "no scatter to judge by"
    if pair.p < LEVEL:
        return "differ"
    if pair.seeds.further is None:
        return f"open: > {MOST_SEEDS:,} seeds"
    return f"open: {pair.seeds.further} more seeds" if pair.seeds.further > 1 else "open: 1 more seed"


def signed(metric: str, value: float | None) -> str:
    """A difference of a metric."""
    if value is None:
        return MISSING
    figure = metric_figure(metric, abs(value))
    return f"{'−' if value < 0 else '+'}{figure}"


def p_figure(p: float | None) -> str:
    """``0.031``, ``< 0.001``."""
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _p_said(p: float) -> str:
    figure = p_figure(p)
    return f"p {figure}" if figure.startswith("<") else f"p = {figure}"


def letter(place: int) -> str:
    """A, B, …, Z, AA, AB, …"""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = ascii_uppercase[rest] + text
    return text


def _sd_figure(metric: str, one: Estimate) -> str:
    return MISSING if one.sd is None else metric_figure(metric, one.sd)


def _effect(effect: float | None) -> str:
    return MISSING if effect is None else f"{effect:+.2g}".replace("-", "−")
