"""Pooling as pictures: a matrix with its windows, a picture and what is pooled of it, a row that moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    in_row,
    line_height,
    text_width,
    to_image,
    whole_factor,
    words,
)
from cnnexp.visualize.matrix import figure
from cnnexp.visualize.palette import Colour, class_colour
from cnnexp.visualize.png import figure_image, new_figure
from cnnexp.visualize.pooling import Array, Row, ShiftedRow, Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_MARKED = 49
"""Windows up to which each is drawn in a colour of its own."""
_CELL_PX = 40
_FONT_PX = 13
_GAP_PX = 28
_GREY: Colour = (90, 90, 90)
_LINE: Colour = (200, 200, 200)
_CHANGED, _SAME = "#F5C8A0", "#FFFFFF"
_SHOWN_PX = 256
_NAMES = {"max": "max", "average": "average", "l2": "L2"}


def matrix_page(
    matrix: Array, windows: Sequence[Window], pooled: Mapping[str, Array], title: str, notes: Sequence[str] = ()
) -> Image.Image:
    """The matrix with a frame around each window, and for each kind what was pooled, framed alike.

    Args:
        matrix: (H, W). pooled: by kind (H', W'), a value for each of the windows.
    """
    colours = [class_colour(place) for place in range(len(windows))] if len(windows) <= MOST_MARKED else []
    blocks = [_named("input", _with_windows(matrix, windows, colours))]
    blocks += [_named(_NAMES[name], _cells(values, colours)) for name, values in pooled.items()]
    return framed(
        above([words(title, 15), in_row(blocks, _GAP_PX), *(words(note, 12, _GREY) for note in notes)], 10), 16
    )


def picture_page(
    picture: NDArray[np.uint8], pooled: Mapping[str, NDArray[np.uint8]], lines: Mapping[str, str], title: str
) -> Image.Image:
    """A picture and what each kind makes of it, uint8 (H, W, C) each, over the lines that say how it is shown."""
    blocks = [_named("the picture", _large(picture), f"{picture.shape[0]}×{picture.shape[1]}")]
    blocks += [_named(_NAMES[name], _large(values), lines[name]) for name, values in pooled.items()]
    return framed(above([words(title, 15), in_row(blocks, _GAP_PX)], 10), 16)


def row_page(rows: Sequence[ShiftedRow], by: int) -> Image.Image:
    """For each kind the row before and after the shift: detectors below, what is pooled of them above.

    Args:
        by: places that the row moved to the right.
    """
    count = len(rows[0].before.detectors)
    figure_ = new_figure(max(10.0, 2.2 * count + 1.4), 2.1 * len(rows) + 0.5)
    figure_.suptitle(f"a row of detectors, and the row moved right by {by} (shaded: changed)", fontsize=11)
    panels = figure_.subplots(len(rows), 2, squeeze=False)
    for number, row in enumerate(rows):
        _draw_row(panels[number, 0], row, row.before, f"{_NAMES[row.kind]} pooling")
        detectors, pooled = int(row.changed_detectors.sum()), int(row.changed_pooled.sum())
        said = f"changed: {detectors} of {count} detectors, {pooled} of {len(row.before.pooled)} pooled values"
        _draw_row(panels[number, 1], row, row.after, said)
    return figure_image(figure_)


def _draw_row(axes: Axes, pair: ShiftedRow, row: Row, title: str) -> None:
    moved = row is pair.after
    for (start, end), middle in zip(row.spans, _middles(row), strict=True):
        for detector in range(start, end):
            axes.plot([detector, middle], [0, 1], color="#999999", lw=1, zorder=1)
    values = ((0, range(len(row.detectors)), row.detectors, pair.changed_detectors),)
    for y, places, numbers, changed in (*values, (1, _middles(row), row.pooled, pair.changed_pooled)):
        for x, number, other in zip(places, numbers, changed, strict=True):
            box = {"boxstyle": "round,pad=0.35", "fc": _CHANGED if moved and other else _SAME, "ec": "#444444"}
            axes.text(x, y, figure(float(number)), ha="center", va="center", fontsize=10, bbox=box, zorder=2)
    for y, name in ((0, "detectors"), (1, "pooled")):
        axes.text(-0.75, y, name, ha="right", va="center", fontsize=9)
    axes.set_title(title, fontsize=10, loc="left")
    axes.set(xlim=(-1.7, len(row.detectors) - 0.4), ylim=(-0.4, 1.4))
    axes.axis("off")


def _middles(row: Row) -> list[int]:
    """Where each pooled value stands."""
    return [place * row.stride for place in range(len(row.pooled))]


def _named(name: str, image: Image.Image, *lines: str) -> Image.Image:
    return above([words(name, _FONT_PX), image, *(words(line, 12, _GREY) for line in lines)], 5)


def _large(picture: NDArray[np.uint8]) -> Image.Image:
    image = to_image(picture)
    return enlarged(image, whole_factor(image.size, _SHOWN_PX) if max(image.size) < _SHOWN_PX else 1)


def _cells(values: Array, colours: Sequence[Colour]) -> Image.Image:
    """Numbers in cells, each framed in its window's colour."""
    sheet, width = _table(values)
    pen = ImageDraw.Draw(sheet)
    for place, colour in enumerate(colours):
        row, column = divmod(place, values.shape[1])
        _frame(pen, (row, column, 1, 1), width, colour, 3)
    return sheet


def _with_windows(matrix: Array, windows: Sequence[Window], colours: Sequence[Colour]) -> Image.Image:
    """Numbers in cells; frames that overlap are drawn a little inside each other."""
    sheet, width = _table(matrix)
    pen = ImageDraw.Draw(sheet)
    kernel, corners = windows[0].values.shape[0], {edge for one in windows for edge in (one.top, one.left)}
    overlap = any(0 < edge < kernel for edge in corners)
    for place, (window, colour) in enumerate(zip(windows, colours, strict=False)):
        box = (window.top, window.left, *window.values.shape)
        _frame(pen, box, width, colour, 3 + (3 * (place % 3) if overlap else 0))
    return sheet


def _frame(pen: ImageDraw.ImageDraw, box: tuple[int, ...], width: int, colour: Colour, inset: int) -> None:
    top, left, rows, columns = box
    corners = (left * width + inset, top * _CELL_PX + inset)
    ends = ((left + columns) * width - inset, (top + rows) * _CELL_PX - inset)
    pen.rectangle((*corners, *ends), outline=colour, width=3)


def _table(values: NDArray[Any]) -> tuple[Image.Image, int]:
    """Numbers in white cells, and a cell's width."""
    texts = [[figure(float(value)) for value in row] for row in values]
    width = max(_CELL_PX, *(text_width(text, _FONT_PX) + 26 for row in texts for text in row))
    rows, columns = values.shape
    sheet = Image.new("RGB", (columns * width + 1, rows * _CELL_PX + 1), PAPER)
    pen = ImageDraw.Draw(sheet)
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            left, top = column * width, row * _CELL_PX
            pen.rectangle((left, top, left + width, top + _CELL_PX), outline=_LINE)
            corner = (left + (width - text_width(text, _FONT_PX)) // 2, top + (_CELL_PX - line_height(_FONT_PX)) // 2)
            pen.text(corner, text, fill=INK, font=font(_FONT_PX))
    return sheet, width
