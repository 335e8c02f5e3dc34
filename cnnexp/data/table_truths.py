"""What the rows of a table say of a picture: its class, its classes, its boxes or its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnnexp.data.census import PICTURES, Census
from cnnexp.data.samples import Box
from cnnexp.data.table import Row, Table, is_missing
from cnnexp.data.table_columns import Columns
from cnnexp.errors import InputError

Rows = Mapping[str, Sequence[Row]]
"""By picture."""
SEVERAL_ROWS = "in several rows that say the same"
BETWEEN_CLASSES = (";", "|", ",")
"""What stands between the classes of one cell; where none of them occurs in the column, blanks do."""
_YES, _NO = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "-1", "-1.0", "false", "no", ""})


def classes_of(table: Table, columns: Columns, *, several: bool) -> dict[int, tuple[str, ...]]:
    """The classes that each row names, by its line; whole numbers that a program wrote as 3.0 are 3.

    Args:
        several: whether a cell may name more than one.

    Raises:
        InputError: a column for a class holds something other than 0 and 1.
    """
    if len(columns.labels) > 1:
        return {row.line: _marked(table, row, columns.labels) for row in table.rows}
    cells = {row.line: row.cells[columns.labels[0]] for row in table.rows}
    between = next((one for one in BETWEEN_CLASSES if any(one in cell for cell in cells.values())), None)
    if several:
        found = {line: [word.strip() for word in cell.split(between)] for line, cell in cells.items()}
    else:
        found = {line: [cell] for line, cell in cells.items()}
    words = {line: tuple(dict.fromkeys(word for word in one if word)) for line, one in found.items()}
    return _whole(table, words)


def sorted_classes(words: Mapping[int, Sequence[str]]) -> tuple[str, ...]:
    """All classes that occur, in alphabetical order; numbers by their size."""
    names = {word for one in words.values() for word in one}
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def refuse_numbers(table: Table, names: Sequence[str], column: str) -> None:
    """Raises InputError if all names of classes are numbers and one has decimals: it is a quantity."""
    numbers = [table.number(name) for name in names]
    odd = next((name for name, one in zip(names, numbers, strict=True) if one is not None and one % 1), None)
    if odd is not None and None not in numbers:
        raise InputError(
            f"{table.path}: {column} holds numbers such as {odd}, which are no classes; task=regression learns numbers "
            f"(or name the classes: 'data.classes=[…]')"
        )


def one_class(table: Table, rows: Rows, words: Mapping[int, Sequence[str]], census: Census) -> dict[str, str | None]:
    """The class of each picture, None where no row says one.

    Raises:
        InputError: rows of one picture name different classes.
    """
    found: dict[str, str | None] = {}
    torn = []
    for name, members in rows.items():
        said = {word: row for row in members for word in words[row.line]}
        if len(said) > 1:
            torn.append((name, said))
        elif len(members) > 1:
            census.note(PICTURES, SEVERAL_ROWS, name)
        found[name] = next(iter(said), None)
    if torn:
        name, said = torn[0]
        where = " and ".join(f"{word} (line {row.line})" for word, row in list(said.items())[:3])
        raise InputError(
            f"{table.path}: {name} is {where}, and so {len(torn):,} of {len(rows):,} pictures; one class for each, or "
            "task=multi_label task.target=labels, which takes several"
        )
    return found


def numbers_of(table: Table, columns: Columns, rows: Rows, census: Census) -> dict[str, tuple[float, ...] | None]:
    """The numbers of each picture, None where one is missing.

    Raises:
        InputError: a cell holds something else; rows of one picture have different numbers; it cannot be told whether
            a comma is a decimal point.
    """
    for column in columns.values:
        _refuse_both_points(table, column)
    found: dict[str, tuple[float, ...] | None] = {}
    for name, members in rows.items():
        said = {_numbers(table, row, columns.values): row for row in members}
        if len(said) > 1:
            lines = " and ".join(str(row.line) for row in list(said.values())[:2])
            raise InputError(f"{table.path}: {name} has different numbers in lines {lines}; one row for each picture")
        if len(members) > 1:
            census.note(PICTURES, SEVERAL_ROWS, name)
        found[name] = next(iter(said))
    return found


def boxes_of(
    table: Table, columns: Columns, members: Sequence[Row], words: Mapping[int, Sequence[str]]
) -> list[tuple[Box, str]]:
    """The boxes of a picture with their classes: a row each, and each once; a row without numbers is none.

    Raises:
        InputError: a box is not four numbers, or has not one class.
    """
    assert columns.box is not None
    found: dict[tuple[Box, str], None] = {}
    for row in members:
        if all(is_missing(row.cells[column]) for column in columns.box):
            continue
        numbers = _numbers(table, row, columns.box)
        if numbers is None:
            raise InputError(f"{table.where(row)}: a box takes all of {', '.join(columns.box)}")
        if len(words[row.line]) != 1:
            raise InputError(f"{table.where(row)}: a box has one class, in {', '.join(columns.labels)}")
        a, b, c, d = numbers
        corners = {"xyxy": (a, b, c, d), "xywh": (a, b, a + c, b + d)}
        middle = (a - c / 2, b - d / 2, a + c / 2, b + d / 2)
        found[corners.get(columns.box_form, middle), words[row.line][0]] = None
    return list(found)


def _marked(table: Table, row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns with a 1."""
    for column in columns:
        if row.cells[column].casefold() not in _YES | _NO:
            raise InputError(
                f"{table.where(row)}: {column} is {row.cells[column]!r}; a column for a class holds 1 where it is "
                "there and 0 where it is not"
            )
    return tuple(column for column in columns if row.cells[column].casefold() in _YES)


def _whole(table: Table, words: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    numbers = {word: table.number(word) for one in words.values() for word in one}
    if any(number is None or number % 1 for number in numbers.values()) or all(map(str.isdecimal, numbers)):
        return dict(words)
    return {line: tuple(str(int(numbers[word] or 0)) for word in one) for line, one in words.items()}


def _numbers(table: Table, row: Row, columns: Sequence[str]) -> tuple[float, ...] | None:
    """The numbers of a row, None where one is missing."""
    if any(is_missing(row.cells[column]) for column in columns):
        return None
    numbers = []
    for column in columns:
        number = table.number(row.cells[column])
        if number is None:
            raise InputError(f"{table.where(row)}: {column} is {row.cells[column]!r}, and no number")
        numbers.append(number)
    return tuple(numbers)


def _refuse_both_points(table: Table, column: str) -> None:
    """Between semicolons 1,234 is read as 1.234; beside 5.6 it would be more than a thousand."""
    cells = [row.cells[column] for row in table.rows] if table.comma_decimals else []
    comma, point = (next((cell for cell in cells if mark in cell), None) for mark in ",.")
    if comma and point:
        raise InputError(
            f"{table.path}: {column} holds {comma} and {point}; write all decimals with a point, and no mark between "
            "thousands"
        )
