"""metrics.csv: one row an epoch, and one for every so many batches; the same after a kill and a resume."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from cnnexp.runs.atomic import write_text
from cnnexp.runs.read import read_metrics

FIRST = ("epoch", "step")


class MetricsFile:
    """Rows of named numbers. A row goes to the disk when it is added; a new column rewrites the file once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, float | None]] = []
        self._columns: list[str] = list(FIRST)

    def rewind(self, step: float) -> None:
        """Keep the rows up to a step, the one that a checkpoint was made at; what came after goes, the test too."""
        if not self._path.exists():
            return
        rows = read_metrics(self._path)
        tested = [name for name in (rows[0] if rows else {}) if name.startswith("test/")]
        kept = [row for row in rows if (row.get("step") or 0) <= step and all(row.get(name) is None for name in tested)]
        self._columns = list(FIRST)
        self._rows = []
        for row in kept:
            self._take({name: value for name, value in row.items() if value is not None})
        self._rewrite()

    def add(self, row: Mapping[str, float | None]) -> None:
        """Append a row, which has ``epoch`` and ``step`` among its names."""
        if self._take(row) or not self._path.exists():
            self._rewrite()
        else:
            with self._path.open("a", encoding="utf-8", newline="") as file:
                file.write(self._text([self._rows[-1]], header=False))

    @property
    def rows(self) -> Sequence[Mapping[str, float | None]]:
        return self._rows

    def _take(self, row: Mapping[str, float | None]) -> bool:
        """Add a row in memory; True when it brought a new column."""
        new = [name for name in row if name not in self._columns]
        self._columns.extend(new)
        self._rows.append(dict(row))
        return bool(new)

    def _rewrite(self) -> None:
        write_text(self._path, self._text(self._rows, header=True))

    def _text(self, rows: Sequence[Mapping[str, float | None]], header: bool) -> str:
        stream = io.StringIO()
        writer = csv.DictWriter(stream, self._columns, restval="", lineterminator="\n")
        if header:
            writer.writeheader()
        writer.writerows([{name: _cell(value) for name, value in row.items()} for row in rows])
        return stream.getvalue()


def _cell(value: float | None) -> str:
    """The shortest text that reads back as the same number."""
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
