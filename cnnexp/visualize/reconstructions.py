"""Originals over their reconstructions."""

from __future__ import annotations

from collections.abc import Sequence
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
    text_width,
    to_image,
    whole_factor,
)

_LEAST_SIDE_PX = 84
_GAP_PX = 4
_FONT_PX = 13
_LABELS = ("original", "rebuilt")
_GIVEN = "given"


def reconstructions_image(
    originals: Sequence[NDArray[Any]],
    reconstructions: Sequence[NDArray[Any]],
    *,
    given: Sequence[NDArray[Any]] | None = None,
    columns: int = 10,
    labels: tuple[str, str] = _LABELS,
) -> Image.Image:
    """Pairs of rows, the original above and its reconstruction below, with the mean squared error under each pair.

    Args:
        originals: uint8, (H, W, 3) or (H, W, 1) each, all of one size; one at least.
        reconstructions: the same in number and size.
        given: what went in, where that was something else than the originals: a row between the two.
        columns: pictures in a row.
        labels: what the two rows are called.

    Raises:
        ValueError: they differ in number or size, or there are none.
    """
    if not len(originals) or len(originals) != len(reconstructions):
        raise ValueError(f"{len(originals)} originals and {len(reconstructions)} reconstructions: not pairs")
    if {np.shape(one) for one in originals} != {np.shape(one) for one in reconstructions} or len(
        {np.shape(one) for one in originals}
    ) != 1:
        raise ValueError("originals and reconstructions must all be of one size")
    rows = [(labels[0], originals), *([] if given is None else [(_GIVEN, given)]), (labels[1], reconstructions)]
    blocks = [
        _block([(label, pictures[start : start + columns]) for label, pictures in rows])
        for start in range(0, len(originals), columns)
    ]
    return framed(above(blocks, gap_px=12))


def squared_error(original: NDArray[Any], reconstruction: NDArray[Any]) -> float:
    """Mean squared error of two uint8 pictures on the scale 0 to 1, as the metrics have it."""
    difference = np.asarray(original, np.float64) - np.asarray(reconstruction, np.float64)
    return float(np.mean((difference / 255) ** 2))


def _block(rows: Sequence[tuple[str, Sequence[NDArray[Any]]]]) -> Image.Image:
    """Rows with their labels, the errors of the last against the first beneath."""
    originals, rebuilt = rows[0][1], rows[-1][1]
    first = to_image(originals[0])
    factor = whole_factor(first.size, _LEAST_SIDE_PX)
    width, height = first.width * factor, first.height * factor
    margin = max(text_width(label, _FONT_PX) for label in (*(label for label, _ in rows), "MSE")) + 8
    bottom = len(rows) * (height + _GAP_PX)
    size = (margin + len(originals) * (width + _GAP_PX), bottom + line_height(_FONT_PX) + 2)
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    for row, (label, pictures) in enumerate(rows):
        top = row * (height + _GAP_PX)
        pen.text((margin - 8, top + height // 2), label, fill=INK, font=font(_FONT_PX), anchor="rm")
        for column, picture in enumerate(pictures):
            sheet.paste(enlarged(to_image(picture), factor), (margin + column * (width + _GAP_PX), top))
    pen.text((margin - 8, bottom), "MSE", fill=INK, font=font(_FONT_PX), anchor="ra")
    for column, pair in enumerate(zip(originals, rebuilt, strict=True)):
        middle = margin + column * (width + _GAP_PX) + width // 2
        pen.text((middle, bottom), f"{squared_error(*pair):.4f}", fill=INK, font=font(_FONT_PX), anchor="ma")
    return sheet
