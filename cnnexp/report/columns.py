"""Columns of a table that must fit the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_GAP = 2
_NARROWEST_SETTING = 8


@dataclass(frozen=True)
class Column:
    """A column: its place in the order of importance decides whether it is shown, ``place`` where."""

    header: str
    cells: tuple[str, ...]
    place: int
    numeric: bool = False
    styles: tuple[str, ...] = ()
    widest: int | None = None
    key: str | None = None  # of the configuration key that the column shows

    @cached_property
    def width(self) -> int:
        """Terminal cells."""
        from rich.cells import cell_len

        natural = max(cell_len(text) for text in {self.header, *self.cells})
        return natural if self.widest is None else min(natural, self.widest)


def total_width(columns: Sequence[Column]) -> int:
    """The cells of a terminal's line that the columns take, with the gaps between them."""
    return sum(column.width for column in columns) + _GAP * (len(columns) - 1)


def narrowed(columns: Sequence[Column], width: int, narrowest: int = _NARROWEST_SETTING) -> list[Column]:
    """The columns with the widest settings (a net's name) cut until they fit, as far as they stay readable."""
    result = list(columns)
    while total_width(result) > width:
        place = max(range(len(result)), key=lambda place: result[place].width if result[place].key else 0)
        column = result[place]
        if column.key is None or column.width <= narrowest:
            break
        result[place] = replace(column, widest=column.width - 1)
    return result


def fitted(
    columns: Sequence[Column], width: int, narrowest: int = _NARROWEST_SETTING
) -> tuple[list[Column], list[str]]:
    """The columns that fit, and the keys of the settings that had to go: the last, which tell least."""
    kept, left_out = list(columns), list[str]()
    while total_width(narrowed(kept, width, narrowest)) > width:
        settings = [place for place, column in enumerate(kept) if column.key is not None]
        if not settings:
            break
        left_out.insert(0, kept.pop(settings[-1]).key or "")
    return narrowed(kept, width, narrowest), left_out


def labelled(lines: Sequence[tuple[str, str]]) -> RenderableType:
    """A label and a text a line, folded at the console's edge."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for label, text in lines:
        table.add_row(label, Text(text))
    return table


class Grid:
    """Columns as a table without a frame; quick for ten thousand rows, unlike rich's own table.

    Args:
        columns: no wider together than the console. The first one holds what is typed next and is never cut.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = list(columns)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment
        from rich.style import Style

        widths = [column.width for column in self.columns]
        headers = [column.header for column in self.columns]
        yield Segment(self._text(headers, widths, 0, len(widths)).rstrip() + "\n", Style(bold=True))
        yield Segment("─" * total_width(self.columns) + "\n")
        coloured = console.color_system is not None
        styled = [place for place, column in enumerate(self.columns) if column.styles and coloured]
        styles = {name: console.get_style(name or "none") for place in styled for name in self.columns[place].styles}
        for row, cells in enumerate(zip(*(column.cells for column in self.columns), strict=True)):
            start = 0
            for place in styled:
                yield Segment(self._text(cells, widths, start, place))
                column = self.columns[place]
                yield Segment(_padded(cells[place], widths[place], column.numeric), styles[column.styles[row]])
                start = place + 1
            yield Segment(self._text(cells, widths, start, len(widths)).rstrip() + "\n")

    def _text(self, cells: Sequence[str], widths: Sequence[int], start: int, end: int) -> str:
        """The cells of a line from one column up to another, with the gaps before, between and after them."""
        texts = [_padded(cells[one], widths[one], self.columns[one].numeric) for one in range(start, end)]
        return (" " * _GAP).join([*([""] if start else []), *texts, *([""] if end < len(widths) else [])])


def _padded(text: str, width: int, at_the_right: bool) -> str:
    """The text as wide as its column, cut with an ellipsis where it is wider."""
    from rich.cells import cell_len, set_cell_size

    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1).rstrip() + "…"
    blanks = " " * (width - length)
    return blanks + text if at_the_right else text + blanks
