"""The table of `cnnexp compare`: runs side by side, with what they scored and where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cnnexp.report.columns import Column, Grid, narrowed, total_width
from cnnexp.report.comparison import COSTS, Runs
from cnnexp.report.notation import MISSING, count_figure, duration_figure, is_number, metric_figure, setting_figure
from cnnexp.report.plain_text import listed, printable
from cnnexp.report.scores import higher_is_better
from cnnexp.report.settings import FIRST_KEYS
from cnnexp.report.settings import MISSING as UNKNOWN

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from cnnexp.runs.read import Record

_STATUS_STYLES = {
    "finished": "green",
    "running": "cyan",
    "stopped": "yellow",
    "interrupted": "yellow",
    "failed": "bold red",
    "crashed": "bold red",
    "damaged": "bold magenta",
    "foreign": "bold magenta",
}
# The time stamp of an id, 20261121-093105: less would be unique today and ambiguous next week.
_SHORTEST_ID = 15
_LAST = 4
_WIDEST_SETTING = 24
_MOST_NAMED = 12
MOST_SETTINGS = 10
_ANY_WIDTH = 1_000_000
FRAMES = "frames_per_second"
Offer = tuple[str, str | None, Callable[[], Column]]
"""A column that may be shown: its header, its key, and what makes it; ten thousand cells are not made in vain."""


class ComparisonTable:
    """Runs as a table that fits the console it is printed on; what finds no room is named under it.

    Args:
        records: the runs, in the order in which they are shown; one at least.
        known_ids: ids among which a shortened id must stay unique, beside those shown.
        columns: metrics, settings or facts to show in place of what differs; all of them are shown.

    Raises:
        InputError: a column that no run has.
    """

    def __init__(
        self, records: Runs | Sequence[Record], known_ids: Collection[str] = (), columns: Sequence[str] = ()
    ) -> None:
        self.runs = records if isinstance(records, Runs) else Runs(records)
        self.records = self.runs.records
        self.metrics = self.runs.metrics
        self.scores = self.runs.scores
        self.keys = self.runs.differing
        self.chosen = [(name, self.runs.resolve(name, "--columns")) for name in columns]
        self.short_ids = short_ids([record.id for record in self.records], known_ids)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns, left_out, footnote = self._fit(options.max_width)
        yield Grid(columns)
        yield from self._notes(left_out, footnote)

    def columns(self) -> list[Column]:
        """For a page or a document: all there is, but of the settings that nobody asked for the most telling only."""
        columns = self._fit(_ANY_WIDTH)[0]
        settings = [column for column in columns if column.key is not None]
        dropped = [] if self.chosen else settings[MOST_SETTINGS:]
        return [column for column in columns if not any(column is one for one in dropped)]

    def _fit(self, width: int) -> tuple[list[Column], list[str], bool]:
        """The columns that fit, the keys of those that do not, and whether `partial` became a mark."""
        chosen, footnote = self._essential(spell_partial=True), False
        if total_width(chosen) > width and any(record.partial for record in self.records):
            chosen, footnote = self._essential(spell_partial=False), True
        chosen, left_out = narrowed(chosen, width), []
        for header, key, make in self._asked() if self.chosen else self._further():
            column = make() if total_width([*chosen, _empty(header)]) <= width else None
            if column is not None and total_width([*chosen, column]) <= width:
                chosen.append(column)
            elif key is not None:
                left_out.append(key)
        full_ids = tuple(printable(record.id) for record in self.records)
        spacious = [replace(column, cells=full_ids) if column.place == 0 else column for column in chosen]
        if total_width(spacious) <= width:
            chosen = spacious
        return sorted(chosen, key=lambda column: column.place), left_out, footnote

    def _essential(self, spell_partial: bool) -> list[Column]:
        statuses = [_status(record, spell_partial) for record in self.records]
        styles = tuple(_STATUS_STYLES.get(record.status, "") for record in self.records)
        keys = [key for key in self.keys if key in FIRST_KEYS]
        first = [
            Column("run", tuple(self._short_id(record) for record in self.records), 0),
            Column("status", tuple(statuses), 1, styles=styles),
        ]
        if self.chosen:
            return first
        return [
            *first,
            *(self._setting(key, key, 10 + place) for place, key in enumerate(keys)),
            *self._score(),
        ]

    def _short_id(self, record: Record) -> str:
        return printable(self.short_ids[record.id])

    def _score(self) -> list[Column]:
        """One column named by the metric, or, where runs are judged by different ones, the score and its name."""
        names = list(dict.fromkeys(score[0] for score in self.scores if score))
        if not names:
            return []
        cells = tuple(metric_figure(*score) if score else MISSING for score in self.scores)
        best = self._best()
        styles = tuple("bold" if place in best else "" for place in range(len(cells)))
        if len(names) == 1:
            return [Column(printable(names[0]), cells, 1000, numeric=True, styles=styles)]
        metrics = tuple(printable(score[0].removeprefix("test/")) if score else "" for score in self.scores)
        return [Column("score", cells, 1000, numeric=True, styles=styles), Column("metric", metrics, 1001)]

    def _best(self) -> set[int]:
        """The places of the best whole run for each metric and data set that several runs share."""
        rivals: dict[tuple[str, str], list[tuple[float, int]]] = {}
        for place, (record, score) in enumerate(zip(self.records, self.scores, strict=True)):
            if score and not record.partial and record.status == "finished":
                name, value = score
                rank = value if higher_is_better(name) else -value
                rivals.setdefault((name, str(record.choices.get("data"))), []).append((rank, place))
        return {max(ranked)[1] for ranked in rivals.values() if len(ranked) > 1}

    def _further(self) -> Iterator[Offer]:
        """What is worth showing where there is room, the most important first."""
        keys = [key for key in self.keys if key not in FIRST_KEYS]
        last_parts = [key.rsplit(".", 1)[-1] for key in keys]
        taken = {*FIRST_KEYS, "run", "status", "score", "time"}
        settings = []
        for place, (key, last) in enumerate(zip(keys, last_parts, strict=True)):
            header = last if last_parts.count(last) == 1 and last not in taken else key
            settings.append((header, key, partial(self._setting, key, header, 100 + place)))
        yield from settings[:2]
        yield "time", None, self._time
        if any(is_number(record.summary.get(FRAMES)) for record in self.records):
            yield "frames/s", None, self._frames
        yield from settings[2:]
        for place, name in enumerate(self._common_metrics()):
            yield name, None, partial(self._metric, name, 2000 + place)

    def _time(self) -> Column:
        durations = [duration_figure(record.duration_s) for record in self.records]
        return Column("time", tuple(durations), 3000, numeric=True)

    def _frames(self) -> Column:
        rates = tuple(count_figure(record.summary.get(FRAMES)) for record in self.records)
        return Column("frames/s", rates, 2999, numeric=True)

    def _metric(self, name: str, place: int) -> Column:
        figures = tuple(metric_figure(name, metrics.get(name)) for metrics in self.metrics)
        return Column(printable(name), figures, place, numeric=True)

    def _asked(self) -> Iterator[Offer]:
        """The columns that were asked for, as they were written."""
        for place, (asked, name) in enumerate(self.chosen):
            yield asked, name, partial(self._chosen_column, asked, name, 10 + place)

    def _chosen_column(self, asked: str, name: str, place: int) -> Column:
        values = self.runs.values(name)
        numeric = any(is_number(value) for value in values)
        figure = _figure_of(name, self.runs)
        cells = tuple(MISSING if value is None and numeric else figure(value) for value in values)
        widest = None if numeric else max(_WIDEST_SETTING, len(asked))
        return Column(printable(asked), cells, place, numeric, widest=widest, key=name)

    def _common_metrics(self) -> list[str]:
        """Further metrics that every run has which has any; a loss only where all mean the same by it."""
        scores = {score[0] for score in self.scores if score}
        measured = [metrics for metrics in self.metrics if metrics]
        if not measured:
            return []
        common = [name for name in measured[0] if all(name in metrics for metrics in measured)]
        wanted = [name for name in common if name.startswith(("test/", "val/")) and name not in scores]
        wanted = [name for name in wanted if len(scores) == 1 or not name.endswith("/loss")]
        return sorted(wanted, key=lambda name: (not name.startswith("test/"), name.endswith("/loss")))

    def _setting(self, key: str, header: str, place: int) -> Column:
        values = self.runs.settings.values(key)
        known = [value for value in values if value is not UNKNOWN]
        numeric = any(is_number(value) for value in known) and all(value is None or is_number(value) for value in known)
        cells = tuple(MISSING if value is UNKNOWN else _setting_cell(key, value) for value in values)
        return Column(printable(header), cells, place, numeric, widest=max(_WIDEST_SETTING, len(header)), key=key)

    def _notes(self, left_out: Sequence[str], footnote: bool) -> Iterator[RenderableType]:
        from rich.text import Text

        if footnote:
            yield Text("* partial: cut short by max_steps and scored on a few batches only", style="yellow")
        stages = {score[0].split("/")[0] for score in self.scores if score}
        if "test" in stages and len(stages) > 1:
            yield Text("scores are of the test set where the metric does not say val/ or train/", style="dim")
        if same := self._same_in_all():
            yield Text(f"in all runs: {', '.join(same)}", style="dim")
        if left_out:
            yield Text(
                f"also differing: {listed(left_out, _MOST_NAMED)} (wider terminal, --json or --csv)", style="dim"
            )
        if any(record.error for record in self.records):
            yield Text()
            yield self._errors()

    def _same_in_all(self) -> list[str]:
        chosen = next((record.choices for record in self.records if record.choices), {})
        groups = [group for group in ("model", "data") if group in chosen and group not in self.keys]
        return [printable(f"{group}={chosen[group]}") for group in groups]

    def _errors(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        lines = Table.grid(padding=(0, 2, 0, 0))
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        for record in self.records:
            if record.error:
                message = Text(f"{printable(record.status)}: {_first_line(record.error)}")
                message.stylize(_STATUS_STYLES.get(record.status, ""), 0, len(printable(record.status)))
                lines.add_row(Text(self._short_id(record)), message)
        return lines


def short_ids(ids: Sequence[str], known_ids: Collection[str] = ()) -> dict[str, str]:
    """The shortest beginning of each id that no other id shares, its time stamp at least; or its two ends.

    Runs that began in one second are told apart by the end: ``20261121-093105..3f9a``.

    Args:
        known_ids: further ids that it must not be taken for.
    """
    ordered = sorted({*ids, *known_ids})
    places = {identity: place for place, identity in enumerate(ordered)}
    ends = Counter(f"{identity[:_SHORTEST_ID]}..{identity[-_LAST:]}" for identity in ordered)
    found = {}
    for identity in ids:
        place = places[identity]
        neighbours = [ordered[other] for other in (place - 1, place + 1) if 0 <= other < len(ordered)]
        shared = max((_shared(identity, other) for other in neighbours), default=0)
        beginning = identity[: max(_SHORTEST_ID, shared + 1)]
        both_ends = f"{identity[:_SHORTEST_ID]}..{identity[-_LAST:]}"
        unique = ends[both_ends] == 1 and len(both_ends) < len(beginning)
        found[identity] = both_ends if unique else beginning
    return found


def short_id(identity: str, known_ids: Collection[str]) -> str:
    """One of ``short_ids``."""
    return short_ids([identity], known_ids)[identity]


def _shared(one: str, other: str) -> int:
    """The length of the beginning that two ids share."""
    length = min(len(one), len(other))
    return next((place for place in range(length) if one[place] != other[place]), length)


def _figure_of(name: str, runs: Runs) -> Callable[[Any], str]:
    """How values of this name are written."""
    if name == "duration":
        return duration_figure
    if name in COSTS:
        return count_figure
    return partial(metric_figure, name) if name in runs.measured else partial(_setting_cell, name)


def _empty(header: str) -> Column:
    return Column(printable(header), (), 0)


def _status(record: Record, spell_partial: bool) -> str:
    status = printable(record.status)
    if not record.partial:
        return status
    return f"{status}, partial" if spell_partial else f"{status}*"


def _setting_cell(key: str, value: Any) -> str:
    return MISSING if value is None and key == "name" else setting_figure(value)


def _first_line(message: Any) -> str:
    lines = str(message).strip().splitlines()
    return printable(lines[0]) if lines else ""
