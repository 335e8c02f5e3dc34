"""Columns of a table that must fit the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

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

    @property
    def width(self) -> int:
        from rich.cells import cell_len

        natural = max(cell_len(text) for text in (self.header, *self.cells))
        return natural if self.widest is None else min(natural, self.widest)


def total_width(columns: Sequence[Column]) -> int:
    """The cells of a terminal's line that the columns take, with the gaps between them."""
    return sum(column.width for column in columns) + _GAP * (len(columns) - 1)


def narrowed(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns with the widest settings (a net's name) cut until they fit, as far as they stay readable."""
    result = list(columns)
    while total_width(result) > width:
        place = max(range(len(result)), key=lambda place: result[place].width if result[place].key else 0)
        column = result[place]
        if column.key is None or column.width <= _NARROWEST_SETTING:
            break
        result[place] = replace(column, widest=column.width - 1)
    return result


def grid(columns: Sequence[Column]) -> RenderableType:
    """The columns as a table without a frame."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    # The divider between two columns is one blank wide: padding makes up the rest of the gap.
    padding = (0, _GAP - 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding, header_style="bold")
    for column in columns:
        table.add_column(
            Text(column.header),
            justify="right" if column.numeric else "left",
            no_wrap=True,
            overflow="ellipsis",
            # The id is what one types next: never cut it.
            min_width=column.width if column.place == 0 else None,
            max_width=column.width,
        )
    for row in range(len(columns[0].cells)):
        table.add_row(*(Text(column.cells[row], column.styles[row] if column.styles else "") for column in columns))
    return table
