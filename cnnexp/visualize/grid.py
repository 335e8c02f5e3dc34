"""Many pictures on one sheet, each over its caption."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import (
    INK,
    PAPER,
    enlarged,
    font,
    line_height,
    shortened,
    text_width,
    to_image,
    whole_factor,
)
from cnnexp.visualize.palette import Colour

_LEAST_SIDE_PX = 96
_GAP_PX = 8
_FONT_PX = 12
_MARK: Colour = (213, 94, 0)  # Okabe and Ito's vermilion
_WIDEST_SHEET_PX = 1600


def grid_image(
    pictures: Sequence[NDArray[Any]],
    captions: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    marked: Collection[int] = (),
    least_side: int = _LEAST_SIDE_PX,
) -> Image.Image:
    """The pictures in rows, from the left and the top, enlarged by a whole factor where they are small.

    Args:
        pictures: uint8, (H, W, 3) or (H, W, 1) each; one at least. They may differ in size.
        captions: a line for each; what is too long is cut.
        columns: pictures in a row; without it the sheet comes out about as wide as high.
        marked: positions that stand out, by a frame and the colour of their caption: the wrong ones, say.
        least_side: in pixels, up to which small pictures are enlarged.

    Raises:
        ValueError: no picture, or not as many captions as pictures.
    """
    if not len(pictures):
        raise ValueError("a grid needs a picture at least")
    if captions is not None and len(captions) != len(pictures):
        raise ValueError(f"{len(captions)} captions for {len(pictures)} pictures")
    images = [to_image(picture) for picture in pictures]
    images = [enlarged(image, whole_factor(image.size, least_side)) for image in images]
    cell_width = max(image.width for image in images)
    cell_height = max(image.height for image in images) + (line_height(_FONT_PX) + 2 if captions is not None else 0)
    columns = columns or _columns(len(images), cell_width, cell_height)
    rows = math.ceil(len(images) / columns)
    used = min(columns, len(images))
    size = (used * (cell_width + _GAP_PX) + _GAP_PX, rows * (cell_height + _GAP_PX) + _GAP_PX)
    sheet = Image.new("RGB", size, PAPER)
    for place, image in enumerate(images):
        left = _GAP_PX + (place % columns) * (cell_width + _GAP_PX)
        top = _GAP_PX + (place // columns) * (cell_height + _GAP_PX)
        sheet.paste(image, (left + (cell_width - image.width) // 2, top))
        caption = captions[place] if captions is not None else ""
        _annotate(sheet, image, (left, top), cell_width, caption, place in marked)
    return sheet


def _columns(count: int, cell_width: int, cell_height: int) -> int:
    columns = math.ceil(math.sqrt(count * cell_height / cell_width))
    most = max(1, (_WIDEST_SHEET_PX - _GAP_PX) // (cell_width + _GAP_PX))
    return max(1, min(columns, most, count))


def _annotate(
    sheet: Image.Image, image: Image.Image, corner: tuple[int, int], cell_width: int, caption: str, marked: bool
) -> None:
    pen = ImageDraw.Draw(sheet)
    left, top = corner[0] + (cell_width - image.width) // 2, corner[1]
    if marked:
        pen.rectangle((left - 3, top - 3, left + image.width + 2, top + image.height + 2), outline=_MARK, width=3)
    if caption:
        text = shortened(caption, _FONT_PX, cell_width)
        start = corner[0] + (cell_width - text_width(text, _FONT_PX)) // 2
        pen.text((start, top + image.height + 3), text, fill=_MARK if marked else INK, font=font(_FONT_PX))
