"""A bar for long work of a command, on a terminal; on a pipe there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


def terminal() -> Console:
    """Where bars are drawn: beside the result, which may go to a file."""
    from rich.console import Console

    return Console(stderr=True)


def watched(items: Iterable[T], total: int, what: str, console: Console | None = None) -> Iterator[T]:
    """The items, with a bar for how many of them are done."""
    console = console or terminal()
    if total < 2 or not console.is_terminal:
        yield from items
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(compact=True), console=console, transient=True, expand=True) as bars:
        yield from bars.track(items, total=total, description=what)
