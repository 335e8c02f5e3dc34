"""Pictures beside those that are nearest to them, in two spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import (
    INK,
    PAPER,
    above,
    fitted,
    font,
    framed,
    line_height,
    shortened,
    text_width,
    to_image,
    words,
)
from cnnexp.visualize.palette import Colour

_SIDE_PX = 96
_GAP_PX = 6
_FONT_PX = 11
_OTHER: Colour = (213, 94, 0)  # Okabe and Ito's vermilion
_GREY: Colour = (90, 90, 90)


@dataclass(frozen=True)
class Shown:
    """A picture, uint8 (H, W, C), with a line under it; ``other`` is of another class than the query."""

    picture: NDArray[Any]
    caption: str
    other: bool = False


def neighbours_image(
    queries: Sequence[Shown], rows: Sequence[Sequence[Sequence[Shown]]], spaces: Sequence[str], title: str
) -> Image.Image:
    """For each query a block: itself at the left, and a row of its neighbours in each space.

    Args:
        rows: by query and space, nearest first. spaces: what the rows are called.
    """
    margin = max(text_width(name, _FONT_PX) for name in spaces) + 12
    blocks = [_block(query, own, spaces, margin) for query, own in zip(queries, rows, strict=True)]
    body = above(blocks, 14)
    head = [words(shortened(title, 14, body.width), 14)]
    if any(one.other for block in rows for row in block for one in row):
        head.append(words("framed: of another class than the picture at the left", 12, _OTHER))
    return framed(above([*head, body], 8), 12)


def _block(query: Shown, rows: Sequence[Sequence[Shown]], spaces: Sequence[str], margin: int) -> Image.Image:
    line = line_height(_FONT_PX)
    height = _SIDE_PX + line + 4
    left = _SIDE_PX + _GAP_PX
    widest = max(len(row) for row in rows)
    sheet = Image.new("RGB", (left + margin + widest * (_SIDE_PX + _GAP_PX), len(rows) * height), PAPER)
    _put(sheet, query, (0, (len(rows) * height - height) // 2))
    pen = ImageDraw.Draw(sheet)
    for number, (row, name) in enumerate(zip(rows, spaces, strict=True)):
        top = number * height
        pen.text((left + margin - 8, top + _SIDE_PX // 2), name, fill=_GREY, font=font(_FONT_PX), anchor="rm")
        for column, one in enumerate(row):
            _put(sheet, one, (left + margin + column * (_SIDE_PX + _GAP_PX), top))
    return sheet


def _put(sheet: Image.Image, one: Shown, corner: tuple[int, int]) -> None:
    image = fitted(to_image(one.picture), _SIDE_PX)
    left, top = corner[0] + (_SIDE_PX - image.width) // 2, corner[1] + (_SIDE_PX - image.height) // 2
    sheet.paste(image, (left, top))
    pen = ImageDraw.Draw(sheet)
    if one.other:
        pen.rectangle((left, top, left + image.width - 1, top + image.height - 1), outline=_OTHER, width=3)
    text = shortened(one.caption, _FONT_PX, _SIDE_PX)
    start = corner[0] + (_SIDE_PX - text_width(text, _FONT_PX)) // 2
    pen.text((start, corner[1] + _SIDE_PX + 1), text, fill=_OTHER if one.other else INK, font=font(_FONT_PX))
