"""Runs and what they take of the disk, for a terminal; which of them are worth keeping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cnnexp.report.columns import Column, Grid, fitted
from cnnexp.report.notation import MISSING, metric_figure, setting_figure
from cnnexp.report.plain_text import printable
from cnnexp.report.scores import higher_is_better
from cnnexp.report.table import short_ids
from cnnexp.runs.read import UNREADABLE

if TYPE_CHECKING:
    from cnnexp.report.comparison import Runs
    from cnnexp.runs.read import Record

_NARROWEST = 6
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def kept_table(runs: Runs, sizes: Mapping[str, int], width: int) -> Grid:
    """Runs with their status, score, size and tags.

    Args:
        sizes: bytes by id. width: of the terminal.
    """
    ids = short_ids([record.id for record in runs.records])
    scores = [metric_figure(*score) if score else MISSING for score in runs.scores]
    names = [score[0].removeprefix("test/") if score else "" for score in runs.scores]
    alone = len({name for name in names if name}) == 1
    columns = [
        Column("run", tuple(printable(ids[record.id]) for record in runs.records), 0),
        Column("status", tuple(printable(record.status) for record in runs.records), 1),
        *(_choice(runs.records, group, place) for place, group in enumerate(("model", "data"), start=2)),
        Column(printable(max(names)) if alone else "score", tuple(scores), 4, numeric=True),
        Column("metric", tuple("" if alone else printable(name) for name in names), 5, key="metric"),
        Column("size", tuple(size_figure(sizes[record.id]) for record in runs.records), 6, numeric=True),
        Column("tags", tuple(printable(", ".join(record.tags)) for record in runs.records), 7, key="tags"),
    ]
    return Grid(fitted([one for one in columns if any(one.cells)], width, _NARROWEST)[0])


def _choice(records: Sequence[Record], group: str, place: int) -> Column:
    cells = tuple(setting_figure(record.choices[group]) if group in record.choices else "" for record in records)
    return Column(group, cells, place, widest=20, key=group)


def size_figure(count: int) -> str:
    """``812 kB``, ``1.4 GB``."""
    for size, unit in _UNITS:
        if count >= 0.9995 * size:  # what rounds to it
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def to_prune(runs: Runs, keep: int) -> list[Record]:
    """The runs that may go: all but the best of each metric and data set, those with a tag, and those under way.

    What cannot be read stays too: it may have a tag, or be no run at all.

    Args:
        keep: so many of each metric and data set; only whole, finished runs are among the best.
    """
    rivals: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for place, (record, score) in enumerate(zip(runs.records, runs.scores, strict=True)):
        if score and record.status == "finished" and not record.partial:
            value = score[1] if higher_is_better(score[0]) else -score[1]
            rivals.setdefault((score[0], str(record.choices.get("data"))), []).append((value, -place))
    best = {-place for ranked in rivals.values() for _, place in sorted(ranked, reverse=True)[:keep]}
    return [
        record
        for place, record in enumerate(runs.records)
        if place not in best and not record.tags and record.status not in ("running", *UNREADABLE)
    ]
