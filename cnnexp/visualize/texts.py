"""A text as a picture: its words in lines, as many as there is room for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import INK, PAPER, font, line_height, one_line, shortened, text_width

WIDTH_PX, MOST_LINES = 240, 8
_FONT_PX = 13
_MARGIN_PX = 4
_MOST_CHARACTERS = WIDTH_PX * MOST_LINES
"""More cannot be drawn, however narrow they are."""


def text_picture(text: str) -> NDArray[np.uint8]:
    """uint8 (H, 240, 3) of a text, as high as its lines; what is left over after the last is cut with an ellipsis."""
    lines = _lines(one_line(text[:_MOST_CHARACTERS]), WIDTH_PX - 2 * _MARGIN_PX)
    step = line_height(_FONT_PX)
    image = Image.new("RGB", (WIDTH_PX, len(lines) * step + 2 * _MARGIN_PX), PAPER)
    pen = ImageDraw.Draw(image)
    for place, line in enumerate(lines):
        pen.text((_MARGIN_PX, _MARGIN_PX + place * step), line, fill=INK, font=font(_FONT_PX))
    return np.array(image, dtype=np.uint8)


def _lines(text: str, width_px: int) -> list[str]:
    lines, words = [""], text.split(" ")
    for place, word in enumerate(words):
        longer = f"{lines[-1]} {word}".lstrip()
        if not lines[-1] or text_width(longer, _FONT_PX) <= width_px:
            lines[-1] = longer
        elif len(lines) < MOST_LINES:
            lines.append(word)
        else:
            lines[-1] = " ".join([lines[-1], *words[place:]])
            break
    return [shortened(line, _FONT_PX, width_px) for line in lines]
