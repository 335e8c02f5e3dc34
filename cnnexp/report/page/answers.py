"""What a page shows of answers to pictures: each picture with its likeliest classes, before training and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from cnnexp.report.page.content import made
from cnnexp.report.page.pictures import as_address, sound_address

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_SHOWN = 500
"""Pictures on a page; with more it would be slow."""
SIDE_PX = 360
"""Of a picture's longer side; a larger one is made smaller for the page."""

Lines = Callable[[Mapping[str, Any]], Sequence[str]]
"""An answer's row → what is printed of it."""


def page_of_answers(
    rows: Sequence[Mapping[str, Any]],
    sources: Sequence[str],
    sounds: Sequence[bytes],
    lines: Lines,
    *,
    title: str,
    net: str,
    began_with: str | None,
) -> dict[str, Any]:
    """The answers in plain values.

    Args:
        rows: of ``predict --json``; ``before`` in them is what the weights said that the run began with.
        sources: the pictures' addresses. sounds: wav files of the samples; none where they make no sound.
        lines: of answers that are no single class. net: what answers, in words.
        began_with: the weights of ``before``, in words; None without them.
    """
    addresses: list[str | None] = [sound_address(one) for one in sounds]
    addresses = addresses or [None] * len(rows)
    count = f"{len(rows):,} answer{'' if len(rows) == 1 else 's'}"
    return {
        "title": title,
        "subtitle": f"{net} · {count} · {made()}",
        "began_with": began_with,
        "answers": [
            {"name": PurePath(row["file"]).name, "source": source, "heard": sound, "sides": _sides(row, lines)}
            for row, source, sound in zip(rows, sources, addresses, strict=True)
        ],
        "runs": [],
        "columns": [],
        "notes": [],
        "lower": [],
    }


def shown_as(image: Image, side_px: int = SIDE_PX) -> str:
    """A picture's address: small ones to the pixel, larger ones as JPEG with their longer side so long."""
    content = BytesIO()
    if max(image.size) <= side_px:
        image.save(content, "PNG", optimize=True)
        return as_address(content.getvalue())
    smaller = image.convert("RGB")
    smaller.thumbnail((side_px, side_px))
    smaller.save(content, "JPEG", quality=85)
    return as_address(content.getvalue(), "jpeg")


def _sides(row: Mapping[str, Any], lines: Lines) -> list[dict[str, Any]]:
    if "before" not in row:
        return [{"name": None, **_said(row, lines)}]
    return [
        {"name": "before", **_said(row["before"], lines)},
        {"name": "after", **_said(row, lines)},
    ]


def _said(row: Mapping[str, Any], lines: Lines) -> dict[str, Any]:
    if "top" in row:
        return {"bars": [[one["label"], one["probability"]] for one in row["top"]], "lines": []}
    return {"bars": [], "lines": list(lines(row))}
