"""Tables as people, spreadsheets and programs write them: comma, semicolon, tab or bar between cells, or Parquet."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cnnexp.data.text_files import decoded, read_lenient
from cnnexp.errors import InputError
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES

SEPARATORS = (",", ";", "\t", "|")
PARQUET = frozenset({".parquet", ".pq"})
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})


class Row(NamedTuple):
    """Its line in the file (in Parquet its number from 1), and its cells without blanks at their ends."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A table with a header.

    Attributes:
        header: the names of the columns, each once; columns without a name are left out.
        comma_decimals: whether a comma in a number is its decimal point, as no comma stands between cells.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    comma_decimals: bool = False

    def where(self, row: Row) -> str:
        """How a row is called in a message."""
        return f"{self.path}:{row.line}" if self.path.suffix.lower() not in PARQUET else f"{self.path}, row {row.line}"

    def named(self) -> str:
        """The columns, for a message."""
        return f"its columns are {', '.join(self.header)}"

    def number(self, text: str) -> float | None:
        """The number that a cell holds, None where it is no finite one."""
        if self.comma_decimals and text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        try:
            value = float(text) if "_" not in text else math.nan  # Python alone reads 1_000
        except ValueError:
            return None
        return value if math.isfinite(value) else None


def is_missing(cell: str) -> bool:
    """Whether a cell says nothing."""
    return cell.casefold() in _MISSING


def read_table(path: Path, encoding: str | None = None) -> Table:
    """A table.

    Args:
        encoding: of its text, where it has to be that; None takes UTF-8, and what Windows writes.

    Raises:
        InputError: there is no such file; it is not a table with a header; a row has more or fewer cells than that.
    """
    if path.suffix.lower() in PARQUET:
        return _read_parquet(path)
    try:
        text = read_lenient(path) if encoding is None else decoded(path.read_bytes(), encoding, path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    first, _, rest = text.partition("\n")
    stated = first.strip()[4:] if first.lower().startswith("sep=") else None  # as spreadsheets write and read it
    body, skipped = (text, 0) if stated is None else (rest, 1)
    header_line = next((line for line in body.splitlines() if line.strip()), "")
    separator = stated or max(SEPARATORS, key=lambda one: len(next(csv.reader([header_line], delimiter=one), [])))
    if separator not in SEPARATORS:
        raise InputError(f"{path}: separator {separator!r}; a comma, a semicolon, a tab or | stands between cells")
    return _table(path, _cells(path, body, separator, skipped), comma_decimals=separator != ",")


def _cells(path: Path, text: str, separator: str, skipped: int) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, with their lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    found = []
    begins = 1 + skipped
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((begins, [cell.strip() for cell in cells]))
            begins = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise InputError(f"{path}:{begins}: {error}; is a quote missing from here on?") from error
    return found


def _table(path: Path, lines: Sequence[tuple[int, list[str]]], *, comma_decimals: bool) -> Table:
    if not lines:
        raise InputError(f"{path}: is empty")
    header = _header(path, lines[0][1])
    rows = []
    for line, cells in lines[1:]:
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) != len(header):
            raise InputError(
                f"{path}:{line}: {len(cells)} cells, and the header has {len(header)}; "
                "a cell with a separator in it has to be in quotes"
            )
        rows.append(Row(line, {name: cell for name, cell in zip(header, cells, strict=True) if name}))
    return _checked(Table(path, tuple(name for name in header if name), tuple(rows), comma_decimals))


def _header(path: Path, cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    if any(Path(cell).suffix.lower() in PICTURE_SUFFIXES for cell in cells):
        raise InputError(f"{path}: begins with a row and no header; write one above it, such as file,label")
    twice = [name for name, count in Counter(cells).items() if count > 1 and name]
    if twice:
        raise InputError(f"{path}: two columns are called {twice[0]}; rename one")
    return cells


def _checked(table: Table) -> Table:
    if not table.rows:
        raise InputError(f"{table.path}: has a header and no rows")
    return table


def _read_parquet(path: Path) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{path}: reading Parquet takes pyarrow: pip install 'cnnexp[parquet]'") from error
    try:
        content = parquet.read_table(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: not a Parquet file ({str(error).splitlines()[0]})") from error
    names = _header(path, list(content.column_names))
    columns = [[_text(value) for value in column.to_pylist()] for column in content.columns]
    rows = [
        Row(number, dict(zip(names, cells, strict=True))) for number, cells in enumerate(zip(*columns, strict=True), 1)
    ]
    return _checked(Table(path, tuple(names), tuple(rows)))


def _text(value: Any) -> str:
    """A value as a CSV file would have it; of a list its members with semicolons between them."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ";".join(_text(one) for one in value)
    return str(value).strip()
