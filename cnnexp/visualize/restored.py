"""What a net was given, what it made of it, what is true, and where the two differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import INK, PAPER, beside, enlarged, font, line_height, text_width, to_image, whole_factor

ERROR_FACTOR = 4
"""By how much errors are shown stronger: white is a quarter of the range from black to white, or more."""
_LEAST_SIDE_PX = 200
_FONT_PX = 13
_BAR_PX = 160


def restored_row(given: NDArray[Any], restored: NDArray[Any], true: NDArray[Any]) -> Image.Image:
    """Before, after, truth and error beside each other, with the PSNR of the first two in their captions.

    Args:
        given: uint8 (h, w, C), smaller than the others where a net enlarged it; shown enlarged by bicubic interpolation
            then. restored, true: uint8 (H, W, C).
    """
    height, width = true.shape[:2]
    before = to_image(given)
    if before.size != (width, height):
        before = before.resize((width, height), Image.Resampling.BICUBIC)
        named = f"bicubic ×{width // given.shape[1]}"
    else:
        named = "before"
    grey = true.shape[2] == 1
    pixels = np.asarray(before.convert("L") if grey else before).reshape(true.shape)
    images = [before, to_image(restored), to_image(true), to_image(error(restored, true))]
    captions = [
        f"{named}: {psnr(pixels, true):.2f} dB",
        f"after: {psnr(restored, true):.2f} dB",
        "truth",
        f"error ×{ERROR_FACTOR}",
    ]
    factor = whole_factor(images[0].size, _LEAST_SIDE_PX)
    return beside([enlarged(image, factor) for image in images], captions)


def error(restored: NDArray[Any], true: NDArray[Any]) -> NDArray[np.uint8]:
    """The largest absolute difference of a pixel's channels, times ``ERROR_FACTOR``: uint8 (H, W)."""
    difference = np.abs(restored.astype(np.int64) - true.astype(np.int64)).max(2)
    return np.minimum(ERROR_FACTOR * difference, 255).astype(np.uint8)


def psnr(picture: NDArray[Any], true: NDArray[Any]) -> float:
    """In decibels, of two uint8 pictures; 100 at most."""
    mean = np.square((picture.astype(np.float64) - true.astype(np.float64)) / 255).mean()
    return float(-10 * np.log10(max(mean, 1e-10)))


def legend(note: str = "") -> Image.Image:
    """What the grey of an error means, and a note behind it."""
    low, high = "error 0", f"{1 / ERROR_FACTOR:.0%} of white, and more{note}"
    left, height = text_width(low, _FONT_PX) + 8, line_height(_FONT_PX)
    sheet = Image.new("RGB", (left + _BAR_PX + 8 + text_width(high, _FONT_PX), height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((0, 0), low, fill=INK, font=font(_FONT_PX))
    bar = np.broadcast_to(np.linspace(0, 255, _BAR_PX).astype(np.uint8), (height - 4, _BAR_PX))
    sheet.paste(to_image(bar), (left, 2))
    pen.rectangle((left, 2, left + _BAR_PX - 1, height - 3), outline=INK)
    pen.text((left + _BAR_PX + 8, 0), high, fill=INK, font=font(_FONT_PX))
    return sheet
