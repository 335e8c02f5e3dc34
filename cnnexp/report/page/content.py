"""What a page shows of runs, in plain values."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cnnexp import __version__
from cnnexp.report.comparison import COSTS, Runs
from cnnexp.report.curves import places_of, rows_of_epochs, series
from cnnexp.report.examples import predictions_of
from cnnexp.report.notation import counts_in_words, duration_figure, is_number, sample_noun, setting_figure
from cnnexp.report.page.pictures import embedded
from cnnexp.report.plain_text import listed
from cnnexp.report.samples import different_data
from cnnexp.report.scores import higher_is_better
from cnnexp.report.table import MOST_SETTINGS, ComparisonTable, short_ids

if TYPE_CHECKING:
    from cnnexp.report.columns import Column
    from cnnexp.runs.read import Record

MOST_DETAILED = 60
"""Runs with curves, settings and a confusion matrix; of more, the page would be slow."""
MOST_PICTURE_BYTES = 30_000_000
MOST_CLASSES = 40
_MOST_POINTS = 600
_MOST_ANSWERS = 200
_MOST_NAMED = 20
_SCORE_PLACE = 1000


def page_of_runs(runs: Runs) -> dict[str, Any]:
    """Runs side by side: a table, curves, differences, and each of them by itself.

    Args:
        runs: in the order of the table; the first MOST_DETAILED are shown with all that is known of them.
    """
    table = ComparisonTable(runs)
    ids = short_ids([record.id for record in runs.records])
    run, *others = sorted(table.columns(), key=_place)
    columns = [replace(run, cells=tuple(ids[record.id] for record in runs.records)), *others]
    rows = _cells(columns, runs)
    budget = MOST_PICTURE_BYTES
    shown = []
    for place, record in enumerate(runs.records):
        one = {**_heading(record, ids[record.id]), "cells": rows[place], "detailed": place < MOST_DETAILED}
        if place < MOST_DETAILED:
            details = details_of(record, pictures=budget > 0)
            budget -= sum(len(picture["source"]) for picture in details["pictures"])
            one |= details
        shown.append(one)
    notes = []
    if len(shown) > MOST_DETAILED:
        notes.append(f"curves, settings and pictures are those of the first {MOST_DETAILED} runs in this order")
    if further := runs.differing[MOST_SETTINGS:]:
        notes.append(f"also differing: {listed(further, _MOST_NAMED)}; two runs side by side below show all")
    notes += different_data(runs.records)
    statuses = Counter(record.status for record in runs.records)
    counted = ", ".join(f"{count:,} {status}" for status, count in statuses.most_common())
    return {
        "title": f"{len(shown):,} runs" if len(shown) != 1 else shown[0]["id"],
        "subtitle": f"{counted} · {made()}",
        "columns": [_column(column) for column in columns],
        "runs": shown,
        "notes": notes,
        "lower": _lower_is_better(runs.measured),
    }


def page_of_run(record: Record, more: Mapping[str, Any]) -> dict[str, Any]:
    """One run with everything that is known of it.

    Args:
        more: its mistakes, as ``mistakes``, ``mistakes_title`` and ``mistakes_note``, and its net, as ``profile`` and
            ``profile_note``; none of them has to be there.
    """
    details = details_of(record, pictures=True)
    answers = _answers(record)
    run = {**_heading(record, record.id), **details, **({"answers": answers} if answers else {}), **more}
    partial = ", partial: scored on a few batches only" if record.partial else ""
    return {
        "title": record.id,
        "subtitle": f"{_label(record)} · {record.status}{partial} · {made()}",
        "columns": [],
        "runs": [run],
        "notes": [],
        "lower": _lower_is_better(record.metrics),
    }


def details_of(record: Record, pictures: bool) -> dict[str, Any]:
    """Curves, settings, result and environment of a run.

    Args:
        pictures: put those of its folder in too.
    """
    curves, unit = _curves(record)
    settings = Runs([record]).settings.of(0)
    return {
        "curves": curves,
        "unit": unit,
        "settings": {key: setting_figure(value) for key, value in settings.items()},
        "metrics": record.metrics,
        "per_class": _by_name(record.summary.get("per_class")),
        "per_kind": _by_name(record.summary.get("per_kind")),
        "facts": _facts(record),
        "environment": _environment(record),
        "verdict": _one_line(record.summary.get("verdict")),
        "command": _command(record),
        "confusion": _confusion(record),
        "pictures": embedded(record.folder) if pictures else [],
    }


def made() -> str:
    """When, and with which version."""
    return f"made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC with cnnexp {__version__}"


def _place(column: Column) -> int:
    """The score and the time stand before the settings, which may be many."""
    outcome = column.key is None and column.place >= _SCORE_PLACE
    return column.place - _SCORE_PLACE + 50 if outcome else column.place


def _heading(record: Record, short: str) -> dict[str, Any]:
    error = _one_line(record.error)
    return {"id": record.id, "short": short, "status": record.status, "error": error, "label": _label(record)}


def _label(record: Record) -> str:
    words = [str(record.choices[group]) for group in ("model", "data") if group in record.choices]
    return ", ".join([*words, *([f"seed {record.run['seed']}"] if "seed" in record.run else [])])


def _one_line(text: Any) -> str | None:
    lines = str(text).strip().splitlines() if text else []
    return lines[0] if lines else None


def _column(column: Column) -> dict[str, Any]:
    score = column.key is None and column.numeric and column.header != "time"
    return {"label": column.header, "numeric": column.numeric, "falls": score and higher_is_better(column.header)}


def _cells(columns: Sequence[Column], runs: Runs) -> list[list[dict[str, Any]]]:
    """For each run the cells of its row: the text, the value to sort by, and whether it is the best."""
    sorted_by = [_values(column, runs) for column in columns]
    rows = []
    for row in range(len(runs.records)):
        cells = []
        for column, values in zip(columns, sorted_by, strict=True):
            cell = {"text": column.cells[row], "value": values[row]}
            cells.append({**cell, "best": True} if column.styles and column.styles[row] == "bold" else cell)
        rows.append(cells)
    return rows


def _values(column: Column, runs: Runs) -> list[Any]:
    if column.header == "score":
        return [score[1] if score else None for score in runs.scores]
    if column.numeric:
        name = column.key or ("duration" if column.header == "time" else column.header)
        return [value if is_number(value) else None for value in runs.values(name)]
    return list(column.cells)


def _lower_is_better(names: Mapping[str, Any]) -> list[str]:
    """The last parts of the metrics that fall while a net learns."""
    return sorted({name.split("/", 1)[-1] for name in (*names, "loss") if not higher_is_better(name)})


def _curves(record: Record) -> tuple[dict[str, dict[str, list[list[float]]]], str]:
    """For each metric the points of training and validation, and the unit of the horizontal axis."""
    rows = record.curves()
    of_epochs = rows_of_epochs(rows)
    places, unit = places_of(rows, of_epochs)
    marked = of_epochs if any(of_epochs) else [True] * len(rows)
    found: dict[str, dict[str, list[list[float]]]] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        stage, slash, last = name.partition("/")
        points = series(rows, places, name, marked) if slash and stage in ("train", "val") else []
        if len(points) > 1 or (points and unit == "epoch"):
            found.setdefault(last.removeprefix("step_") if unit == "step" else last, {})[stage] = _thinned(points)
    return found, unit


def _thinned(points: Sequence[tuple[float, float]]) -> list[list[float]]:
    """So many points at most, evenly spread, the last one among them."""
    step = -(-len(points) // _MOST_POINTS)
    kept = [*points[:-1:step], points[-1]]
    return [[place, float(f"{value:.6g}")] for place, value in kept]


def _by_name(content: Any) -> dict[str, dict[str, float]]:
    """Metrics by name, each of some classes or kinds of samples."""
    if not isinstance(content, Mapping):
        return {}
    found = {
        str(name): {str(label): value for label, value in values.items() if is_number(value)}
        for name, values in content.items()
        if isinstance(values, Mapping)
    }
    return {name: values for name, values in found.items() if values}


def _facts(record: Record) -> dict[str, Any]:
    """What the result cost."""
    summary = record.summary
    figures = {name: summary.get(name) for name in ("epochs", "best_epoch", "steps", *COSTS)}
    found = {name.replace("_", " "): f"{value:,}" for name, value in figures.items() if is_number(value)}
    if "images per second" in found:
        noun = sample_noun(summary)
        found = {name.replace("image", noun) if noun != "picture" else name: value for name, value in found.items()}
    if record.duration_s is not None:
        found["time"] = duration_figure(record.duration_s)
    return found | counts_in_words(summary)


def _environment(record: Record) -> dict[str, Any]:
    run = record.run
    git = run["git"] if isinstance(run.get("git"), Mapping) else {}
    dirty = " with changes that were not committed" if git.get("dirty") else ""
    versions = run["versions"] if isinstance(run.get("versions"), Mapping) else {}
    found = {name: run.get(name) for name in ("created", "finished", "host", "device", "platform", "seed", "parent")}
    found["code"] = f"{git['commit']}{dirty}" if git.get("commit") else None
    found |= {str(name): value for name, value in versions.items()}
    return {name: str(value) for name, value in found.items() if value is not None}


def _command(record: Record) -> str | None:
    words = record.run.get("command")
    return shlex.join(str(word) for word in words) if isinstance(words, list) and words else None


def _confusion(record: Record) -> dict[str, Any] | None:
    """Counts by true and predicted class, from the predictions; None where there are no classes, or too many."""
    rows = predictions_of(record.folder)
    if not rows or not {"target", "prediction"} <= rows[0].keys():
        return None
    counts = Counter((row["target"], row["prediction"]) for row in rows)
    named = record.config.get("data", {}).get("classes") if isinstance(record.config.get("data"), Mapping) else None
    seen = dict.fromkeys(label for pair in sorted(counts) for label in pair)
    classes = list(dict.fromkeys([*(str(label) for label in named), *seen])) if isinstance(named, list) else list(seen)
    if len(classes) > MOST_CLASSES:
        return None
    return {"classes": classes, "counts": [[counts[truth, taken] for taken in classes] for truth in classes]}


def _answers(record: Record) -> dict[str, Any] | None:
    rows = predictions_of(record.folder)
    if not rows:
        return None
    columns = list(rows[0])
    shown = [[row[name] for name in columns] for row in rows[:_MOST_ANSWERS]]
    return {"columns": columns, "rows": shown, "total": len(rows)}
