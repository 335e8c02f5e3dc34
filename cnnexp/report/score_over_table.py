"""A score over a setting as a table: a line for each value, a column for each kind of run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnexp.report.columns import Column, Grid, total_width
from cnnexp.report.notation import MISSING, metric_figure
from cnnexp.report.plain_text import printable
from cnnexp.report.score_over import Line
from cnnexp.report.scores import higher_is_better
from cnnexp.statistics.means import Estimate

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


class ScoreOverTable:
    """The means over the seeds with half of their 95 % intervals; columns that find no room stand below."""

    def __init__(self, lines: Sequence[Line], over: str, metric: str) -> None:
        self.lines, self.over, self.metric = list(lines), over, metric

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        order = "higher" if higher_is_better(self.metric) else "lower"
        yield Text(printable(f"{self.metric} ({order} is better) over {self.over}"), style="bold")
        places, *rest = self.columns()
        while rest:
            shown = [places, rest.pop(0)]
            while rest and total_width([*shown, rest[0]]) <= options.max_width:
                shown.append(rest.pop(0))
            yield Grid(shown)
            if rest:
                yield Text()
        if note := self._note():
            yield Text(note, style="dim")

    def columns(self) -> list[Column]:
        """The setting's values, then a column for each line."""
        places = sorted({place for line in self.lines for place, _ in line.points})
        columns = [Column(printable(self.over), tuple(f"{place:g}" for place in places), 0, numeric=True)]
        for number, line in enumerate(self.lines, start=1):
            cells = tuple(self._figure(line.estimates.get(place)) for place in places)
            columns.append(Column(printable(line.label) or printable(self.metric), cells, number, numeric=True))
        return columns

    def _figure(self, one: Estimate | None) -> str:
        if one is None:
            return MISSING
        mean = metric_figure(self.metric, one.mean)
        return mean if one.high is None else f"{mean} ± {metric_figure(self.metric, one.high - one.mean)}"

    def _note(self) -> str:
        counts = sorted({len(values) for line in self.lines for _, values in line.points})
        if counts[-1] == 1:
            return ""
        seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        return f"means over {seeds} seeds ± half the 95 % interval (Student's t)"


def as_rows(lines: Sequence[Line], over: str) -> list[dict[str, Any]]:
    """A row for each kind of run and value of the setting, for a spreadsheet."""
    return [{"runs": line.label, over: place, **asdict(one)} for line in lines for place, one in line.estimates.items()]


def as_values(lines: Sequence[Line], over: str, metric: str) -> dict[str, Any]:
    """Everything in plain values, for JSON."""
    return {
        "metric": metric,
        "over": over,
        "lines": [
            {
                "label": line.label,
                "points": [
                    {"value": place, "scores": list(scores), **asdict(line.estimates[place])}
                    for place, scores in line.points
                ],
            }
            for line in lines
        ],
    }
