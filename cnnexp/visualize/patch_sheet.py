"""Patches on a sheet: a row a channel, the layers from the picture to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import (
    INK,
    PAPER,
    above,
    ending,
    fitted,
    font,
    framed,
    line_height,
    to_image,
    words,
)

CELL_PX = 84
GAP_PX = 4
FONT_PX = 12
HEAD_PX = 190


@dataclass(frozen=True)
class PatchRow:
    """What is drawn of a channel: words at the left, a line each, and its patches, the strongest first."""

    told: Sequence[str]
    patches: Sequence[NDArray[np.uint8]]


def patches_image(rows: Sequence[PatchRow], title: str) -> Image.Image:
    """The rows under a title; patches are enlarged by a whole factor, or made smaller, to fit a cell."""
    return framed(above([words(title, FONT_PX + 2), *(_row(row) for row in rows)], GAP_PX))


def _row(row: PatchRow) -> Image.Image:
    cells = [fitted(to_image(patch), CELL_PX) for patch in row.patches]
    step = line_height(FONT_PX)
    height = max([len(row.told) * step, *(one.height for one in cells)])
    sheet = Image.new("RGB", (HEAD_PX + len(cells) * (CELL_PX + GAP_PX), height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, line in enumerate(row.told):
        pen.text((0, place * step), ending(line, FONT_PX, HEAD_PX - 8), fill=INK, font=font(FONT_PX))
    for place, one in enumerate(cells):
        sheet.paste(one, (HEAD_PX + place * (CELL_PX + GAP_PX) + (CELL_PX - one.width) // 2, 0))
    return sheet
