"""The page of ``cnnexp predict --html``: each sample and what the net says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cnnexp.commands.files import writing
from cnnexp.errors import InputError
from cnnexp.runs.read import Record

if TYPE_CHECKING:
    from PIL.Image import Image

    from cnnexp.inputs.base import Picture

Lines: TypeAlias = Callable[[Mapping[str, Any]], Sequence[str]]
"""An answer's row → what is printed of it."""


def refuse_many(files: list[Path], html: str | None) -> None:
    """A page holds so many answers and no more.

    Raises:
        InputError: there are more.
    """
    from cnnexp.report.page.answers import MOST_SHOWN

    if html is not None and len(files) > MOST_SHOWN:
        raise InputError(f"--html: {len(files):,} pictures are too many for a page; name {MOST_SHOWN} at most")


def source_of(picture: Picture, drawn: Image | None, moving: Sequence[bytes]) -> str:
    """The picture's address in the page: with the answer drawn on it, as it moves, or as it is."""
    from PIL import Image

    from cnnexp.report.page.answers import as_address, shown_as

    if moving and drawn is None:
        return as_address(moving[0], "webp")
    return shown_as(drawn or Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture))


def write_answers(
    rows: list[dict[str, Any]],
    media: tuple[list[str], list[bytes]],
    record: Record | None,
    words: list[str],
    began_with: str | None,
    lines: Lines,
    path: Path,
) -> None:
    """Write the page.

    Args:
        media: the pictures' addresses, and wav files of sounds. words: the settings, where there is no run.
        began_with: the weights of ``--before``, in words.
    """
    from cnnexp.report.page.answers import page_of_answers
    from cnnexp.report.page.write import write_page

    choices = {} if record is None else record.choices
    net = ", ".join(str(choices[group]) for group in ("model", "data") if group in choices)
    title = record.id if record is not None else " ".join(words)
    content = page_of_answers(rows, *media, lines, title=title, net=net or "without a run", began_with=began_with)
    with writing("html", path):
        write_page(content, path)
