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


def reconstructions_image(
    originals: Sequence[NDArray[Any]],
    reconstructions: Sequence[NDArray[Any]],
    *,
    columns: int = 10,
    labels: tuple[str, str] = _LABELS,
) -> Image.Image:
    """Pairs of rows, the original above and its reconstruction below, with the mean squared error under each pair.

    Args:
        originals: uint8, (H, W, 3) or (H, W, 1) each, all of one size; one at least.
        reconstructions: the same in number and size.
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
    blocks = [
        _block(originals[start : start + columns], reconstructions[start : start + columns], labels)
        for start in range(0, len(originals), columns)
    ]
    return framed(above(blocks, gap_px=12))


def squared_error(original: NDArray[Any], reconstruction: NDArray[Any]) -> float:
    """Mean squared error of two uint8 pictures on the scale 0 to 1, as the metrics have it."""
    difference = np.asarray(original, np.float64) - np.asarray(reconstruction, np.float64)
    return float(np.mean((difference / 255) ** 2))


def _block(
    originals: Sequence[NDArray[Any]], reconstructions: Sequence[NDArray[Any]], labels: tuple[str, str]
) -> Image.Image:
    first = to_image(originals[0])
    factor = whole_factor(first.size, _LEAST_SIDE_PX)
    width, height = first.width * factor, first.height * factor
    margin = max(text_width(label, _FONT_PX) for label in (*labels, "MSE")) + 8
    foot = line_height(_FONT_PX) + 2
    sheet = Image.new("RGB", (margin + len(originals) * (width + _GAP_PX), 2 * (height + _GAP_PX) + foot), PAPER)
    pen = ImageDraw.Draw(sheet)
    for row, label in enumerate(labels):
        middle = row * (height + _GAP_PX) + height // 2
        pen.text((margin - 8, middle), label, fill=INK, font=font(_FONT_PX), anchor="rm")
    bottom = 2 * (height + _GAP_PX)
    pen.text((margin - 8, bottom), "MSE", fill=INK, font=font(_FONT_PX), anchor="ra")
    for column, (original, rebuilt) in enumerate(zip(originals, reconstructions, strict=True)):
        left = margin + column * (width + _GAP_PX)
        for row, picture in enumerate((original, rebuilt)):
            sheet.paste(enlarged(to_image(picture), factor), (left, row * (height + _GAP_PX)))
        error = f"{squared_error(original, rebuilt):.4f}"
        pen.text((left + width // 2, bottom), error, fill=INK, font=font(_FONT_PX), anchor="ma")
    return sheet
