"""Small matrices as pictures: each number in a cell, tinted by its sign and size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import INK, PAPER, font, line_height, text_width
from cnnexp.visualize.palette import Colour

_POSITIVE: Colour = (86, 180, 233)  # Okabe and Ito's sky blue
_NEGATIVE: Colour = (230, 159, 0)  # and their orange
_LINE: Colour = (190, 190, 190)
_LEAST_CELL_PX = 26


def figure(value: float, digits: int = 3) -> str:
    """A number as short as can be: whole ones without a point, others with so many digits that matter."""
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{value:.0f}".replace("-0", "0") if value == 0 else f"{value:.0f}"
    return f"{value:.{digits}g}"


def decimal(value: float) -> str:
    """A number with four digits behind the point, or with as many as it has, and a true minus."""
    short = f"{round(value, 1):g}" if abs(round(value, 1) - value) < 1e-12 else f"{value:.4f}"
    return "0" if short == "-0" else short.replace("-", "−")


def matrix_image(values: NDArray[Any], *, written: Callable[[float], str] = figure, size_px: int = 12) -> Image.Image:
    """A matrix as a table of numbers: positive ones on blue, negative ones on orange, the deeper the larger.

    Args:
        values: (h, w), finite. written: how a number is. size_px: of the font.
    """
    values = np.asarray(values, float)
    texts = [[written(float(value)) for value in row] for row in values]
    width = max(_LEAST_CELL_PX, *(text_width(text, size_px) + 10 for row in texts for text in row))
    height = max(_LEAST_CELL_PX, line_height(size_px) + 8)
    rows, columns = values.shape
    sheet = Image.new("RGB", (columns * width + 1, rows * height + 1), PAPER)
    pen = ImageDraw.Draw(sheet)
    largest = max(np.abs(values).max(initial=0.0), 1e-12)
    for row in range(rows):
        for column in range(columns):
            left, top = column * width, row * height
            ground = _tint(values[row, column] / largest)
            pen.rectangle((left, top, left + width, top + height), fill=ground, outline=_LINE)
            text = texts[row][column]
            corner = (left + (width - text_width(text, size_px)) // 2, top + (height - line_height(size_px)) // 2)
            pen.text(corner, text, fill=INK, font=font(size_px))
    return sheet


def matrix_lines(values: NDArray[Any], digits: int = 3) -> list[str]:
    """A matrix as lines of text, the numbers of a column under each other."""
    texts = [[figure(float(value), digits) for value in row] for row in np.asarray(values)]
    width = max(len(text) for row in texts for text in row)
    return [" ".join(f"{text:>{width}}" for text in row) for row in texts]


def _tint(part: float) -> Colour:
    """From paper at 0 to the sign's colour at ±1, most of which is light enough for black figures."""
    full = _POSITIVE if part > 0 else _NEGATIVE
    depth = 0.75 * abs(part)
    red, green, blue = (round(255 + depth * (one - 255)) for one in full)
    return red, green, blue
