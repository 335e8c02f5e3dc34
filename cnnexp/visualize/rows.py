"""Rows of pictures with their masks and boxes: an original, and what augmentation makes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import (
    INK,
    PAPER,
    above,
    enlarged,
    font,
    framed,
    line_height,
    one_line,
    shortened,
    text_width,
    to_image,
    whole_factor,
)
from cnnexp.visualize.instances import painted
from cnnexp.visualize.masks import legend, overlay
from cnnexp.visualize.palette import class_colour

_LEAST_SIDE_PX = 128
_WIDEST_SHEET_PX = 1800
_GAP_PX = 8
_FONT_PX = 13
_MASK_OPACITY = 0.5


@dataclass(frozen=True)
class Cell:
    """One picture.

    Attributes:
        picture: uint8 (H, W, 3) or (H, W, 1). caption: a line under it. mask: (H, W), 255 = void.
        boxes: (n, 4), x1 y1 x2 y2 in pixels of the picture, with classes (n,), -1 = padding.
        instances: (H, W), 0 = none, k = the k-th object.
    """

    picture: NDArray[Any]
    caption: str = ""
    mask: NDArray[Any] | None = None
    boxes: NDArray[Any] | None = None
    classes: NDArray[Any] | None = None
    instances: NDArray[Any] | None = None


def rows_image(
    rows: Sequence[Sequence[Cell]],
    headings: Sequence[str],
    *,
    title: str = "",
    names: Sequence[str] = (),
    mask_names: Sequence[str] = (),
) -> Image.Image:
    """The cells in rows, enlarged by a whole factor where they are small, each column under its heading.

    Args:
        rows: one at least, all as long as ``headings``. title: a line above all.
        names: of the boxes' classes. mask_names: of the masks' values, a first "background" stays uncoloured.
    """
    scale = _scale([cell for row in rows for cell in row], len(headings))
    colours = _box_colours(names, mask_names)
    images = [[_cell_image(cell, scale, colours, mask_names) for cell in row] for row in rows]
    # a narrow picture is given the room that its heading needs
    widths = [
        max(text_width(one_line(heading), _FONT_PX), *(row[place].width for row in images))
        for place, heading in enumerate(headings)
    ]
    blocks = [_line(headings, widths)]
    for row, drawn in zip(rows, images, strict=True):
        captions = [_line([cell.caption for cell in row], widths)] if any(cell.caption for cell in row) else []
        blocks.append(above([_row(drawn, widths), *captions], gap_px=2))
    body = above(blocks)
    legends = _legends(rows, names, mask_names, body.width)
    top = [_text(title, max(body.width, text_width(one_line(title), _FONT_PX)))] if title else []
    return framed(above([*top, body, *legends]))


def _scale(cells: Sequence[Cell], columns: int) -> float:
    """A whole number for small pictures; less than 1 where the sheet would be too wide."""
    longest = max(max(cell.picture.shape[:2]) for cell in cells)
    widest = max(cell.picture.shape[1] for cell in cells)
    room = max(_LEAST_SIDE_PX, (_WIDEST_SHEET_PX - columns * _GAP_PX) // columns)
    if longest < _LEAST_SIDE_PX:
        return float(whole_factor((longest, longest), _LEAST_SIDE_PX))
    return min(1.0, room / widest)


def _share_names(names: Sequence[str], mask_names: Sequence[str]) -> bool:
    """Whether boxes and masks are of the same classes, so that one colour stands for both."""
    return bool(names) and set(names) <= set(mask_names)


def _box_colours(names: Sequence[str], mask_names: Sequence[str]) -> list[int]:
    """Of each class of boxes the number that decides its colour."""
    if _share_names(names, mask_names):
        return [mask_names.index(name) for name in names]
    return list(range(len(names)))


def _cell_image(cell: Cell, scale: float, colours: Sequence[int], mask_names: Sequence[str]) -> Image.Image:
    image = to_image(cell.picture)
    if cell.mask is not None:
        image = overlay(image, np.asarray(cell.mask), _MASK_OPACITY, _background(mask_names))
    if cell.instances is not None:
        numbers = np.unique(cell.instances[cell.instances > 0])
        image = painted(image, cell.instances == numbers[:, None, None], (numbers - 1).tolist())
    if scale >= 1:
        image = enlarged(image, round(scale))
    else:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    if cell.boxes is not None and cell.classes is not None:
        _outline(image, np.asarray(cell.boxes, float) * scale, cell.classes, colours)
    return image


def _outline(image: Image.Image, boxes: NDArray[Any], classes: NDArray[Any], colours: Sequence[int]) -> None:
    """Frames in the classes' colours."""
    pen = ImageDraw.Draw(image)
    for box, index in zip(boxes, classes, strict=True):
        if index < 0:
            continue
        left, top, right, bottom = (int(value) for value in np.rint(box))
        right, bottom = max(left, min(right, image.width) - 1), max(top, min(bottom, image.height) - 1)
        line_px = 3 if min(right - left, bottom - top) > 12 else 2
        pen.rectangle((left, top, right, bottom), outline=class_colour(colours[int(index)]), width=line_px)


def _background(mask_names: Sequence[str]) -> int | None:
    return 0 if mask_names and mask_names[0].casefold() == "background" else None


def _row(images: Sequence[Image.Image], widths: Sequence[int]) -> Image.Image:
    sheet = Image.new("RGB", (_total(widths), max(image.height for image in images)), PAPER)
    for image, left, width in zip(images, _lefts(widths), widths, strict=True):
        sheet.paste(image, (left + (width - image.width) // 2, 0))
    return sheet


def _line(texts: Sequence[str], widths: Sequence[int]) -> Image.Image:
    """A line of words, each in the middle of its column; what is too long takes a second line."""
    lines = [_broken(text, width) for text, width in zip(texts, widths, strict=True)]
    height = line_height(_FONT_PX)
    sheet = Image.new("RGB", (_total(widths), max(1, *(len(one) for one in lines)) * height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for parts, left, width in zip(lines, _lefts(widths), widths, strict=True):
        for number, part in enumerate(parts):
            start = left + (width - text_width(part, _FONT_PX)) // 2
            pen.text((start, number * height), part, fill=INK, font=font(_FONT_PX))
    return sheet


def _broken(text: str, width: int) -> list[str]:
    """One line, or two where a `` + `` joins two classes that are too long for one."""
    text = one_line(text)
    if text_width(text, _FONT_PX) > width and " + " in text:
        first, second = text.split(" + ", 1)
        return [shortened(f"{first} +", _FONT_PX, width), shortened(second, _FONT_PX, width)]
    return [shortened(text, _FONT_PX, width)] if text else []


def _text(text: str, width: int) -> Image.Image:
    sheet = Image.new("RGB", (width, line_height(_FONT_PX)), PAPER)
    ImageDraw.Draw(sheet).text((0, 0), shortened(text, _FONT_PX, width), fill=INK, font=font(_FONT_PX))
    return sheet


def _legends(
    rows: Sequence[Sequence[Cell]], names: Sequence[str], mask_names: Sequence[str], width: int
) -> list[Image.Image]:
    """The colours of the masks' classes and of the boxes' classes that occur: one legend where they are the same."""
    cells = [cell for row in rows for cell in row]
    masks = {int(label) for cell in cells if cell.mask is not None for label in np.unique(cell.mask)}
    masks -= {0} if _background(mask_names) == 0 else set()
    boxes = {int(index) for cell in cells if cell.classes is not None for index in cell.classes if index >= 0}
    if _share_names(names, mask_names):
        colours = _box_colours(names, mask_names)
        masks, boxes = masks | {colours[index] for index in boxes}, set()
    parts = [legend(sorted(masks), mask_names, width)] if masks else []
    parts += [_text("boxes", width)] if masks and boxes else []
    return [*parts, *([legend(sorted(boxes), names, width)] if boxes else [])]


def _lefts(widths: Sequence[int]) -> list[int]:
    return [sum(widths[:place]) + place * _GAP_PX for place in range(len(widths))]


def _total(widths: Sequence[int]) -> int:
    return math.floor(sum(widths) + (len(widths) - 1) * _GAP_PX)
