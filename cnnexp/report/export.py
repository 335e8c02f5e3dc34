"""Runs for other programs: JSON for scripts, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnexp.report.comparison import COSTS, flatten
from cnnexp.report.plain_text import spreadsheet_cell

if TYPE_CHECKING:
    from cnnexp.runs.read import Record


def to_json(records: Sequence[Record]) -> str:
    """A list with one object for each run: id, folder, status, partial, config, metrics, error, times, tags, costs.

    Figures that JSON has no word for (a loss that became NaN) are null. All text is ASCII, so that nothing in a
    record can reach a terminal as a control sequence.
    """
    return plain_json([_as_object(record) for record in records])


def plain_json(content: Any) -> str:
    """ASCII, with null for figures that JSON has no word for."""
    return json.dumps(_plain(content), indent=2, allow_nan=False)


def rows_to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of plain values with the same keys, in full, for a spreadsheet."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow([spreadsheet_cell(key) for key in rows[0]])
    writer.writerows([[spreadsheet_cell(_cell(value)) for value in row.values()] for row in rows])
    return sheet.getvalue()


def to_csv(records: Sequence[Record]) -> str:
    """One line for each run, flattened: the record's own fields, chosen options, metrics, configuration keys.

    Text that a spreadsheet would run as a formula begins with an apostrophe. A configuration key that has the name of
    an earlier column is written as ``config.KEY``.
    """
    rows = [_as_row(record) for record in records]
    columns = list(dict.fromkeys(name for part in range(4) for row in rows for name in row[part]))
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow([spreadsheet_cell(column) for column in columns])
    for row in rows:
        cells = {name: value for part in row for name, value in part.items()}
        writer.writerow([spreadsheet_cell(_cell(cells.get(column))) for column in columns])
    return sheet.getvalue()


def _as_object(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "folder": str(record.folder),
        "status": record.status,
        "partial": record.partial,
        "config": record.config,
        "metrics": record.metrics,
        "error": record.error,
        **_facts(record),
    }


def _facts(record: Record) -> dict[str, Any]:
    return {
        "created": record.created,
        "duration_s": record.duration_s,
        "tags": record.tags,
        **{name: record.summary.get(name) for name in COSTS},
    }


def _as_row(record: Record) -> tuple[dict[str, Any], ...]:
    fields = {
        "id": record.id,
        "folder": str(record.folder),
        "status": record.status,
        "partial": record.partial,
        "error": record.error,
        **_facts(record),
    }
    choices = {_free(f"{group}", fields): option for group, option in record.choices.items()}
    metrics = {_free(name, {**fields, **choices}): value for name, value in record.metrics.items()}
    taken = {**fields, **choices, **metrics}
    leaves = flatten({key: value for key, value in record.config.items() if key != "choices"})
    return fields, choices, metrics, {_free(key, taken, "config."): value for key, value in leaves.items()}


def _free(name: str, taken: Mapping[str, Any], prefix: str = "other.") -> str:
    return f"{prefix}{name}" if name in taken else name


def _plain(value: Any) -> Any:
    """Only what JSON has words for."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, Mapping)):
        return json.dumps(_plain(value), ensure_ascii=False)
    return value
