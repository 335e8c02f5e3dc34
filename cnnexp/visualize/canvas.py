"""Paper and pen for pictures: from arrays to images that a person can see, with words beside them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cnnexp.visualize.palette import Colour

PAPER: Colour = (255, 255, 255)
INK: Colour = (20, 20, 20)
_GAP = 8
_CAPTION_FONT_PX = 13


def to_image(picture: NDArray[Any]) -> Image.Image:
    """An RGB image from a uint8 array.

    Args:
        picture: (H, W, 3), (H, W, 1) or (H, W), 0 to 255.

    Raises:
        ValueError: it has another shape or type. Converting floats in silence would hide a picture that was normalised.
    """
    array = np.asarray(picture)
    if array.dtype != np.uint8:
        raise ValueError(f"a picture must be uint8, 0 to 255; this one is {array.dtype}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)) or array.size == 0:
        raise ValueError(f"a picture must be (H, W, 3) or (H, W, 1); this one is {np.asarray(picture).shape}")
    return Image.fromarray(np.ascontiguousarray(array)).convert("RGB")


def whole_factor(size: tuple[int, int], at_least_px: int) -> int:
    """The smallest whole factor that makes the longer side of a size at least so long."""
    return max(1, -(-at_least_px // max(size)))


def enlarged(image: Image.Image, factor: int) -> Image.Image:
    """Each pixel becomes a square of factor × factor: what the net saw, without smoothing."""
    return (
        image if factor == 1 else image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    )


def fitted(image: Image.Image, side_px: int, smaller: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    """The image enlarged by a whole factor, to the pixel, or made smaller, so that it fits a square."""
    longer = max(image.size)
    if longer <= side_px:
        return enlarged(image, side_px // longer)
    size = (max(1, image.width * side_px // longer), max(1, image.height * side_px // longer))
    return image.resize(size, smaller)


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and knows Latin, Greek and Cyrillic letters."""
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size_px)


def one_line(text: str) -> str:
    """The text without line breaks, which cannot be measured, and half characters, which cannot be drawn."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def text_width(text: str, size_px: int) -> int:
    """Width of a line of text in pixels."""
    return round(font(size_px).getlength(text))


def line_height(size_px: int) -> int:
    """Height of a line of text in pixels, letters below the line included."""
    ascent, descent = font(size_px).getmetrics()
    return ascent + descent


def shortened(text: str, size_px: int, width_px: int) -> str:
    """The text in one line, cut with an ellipsis where it is wider than there is room."""
    text = one_line(text)
    if text_width(text, size_px) <= width_px:
        return text
    while text and text_width(f"{text}…", size_px) > width_px:
        text = text[:-1]
    return f"{text}…"


def ending(text: str, size_px: int, width_px: int) -> str:
    """The text, cut at its beginning where it is wider than there is room: the end of a long name tells its layer."""
    while len(text) > 1 and text_width(text, size_px) > width_px:
        text = f"…{text.lstrip('…')[1:]}"
    return text


def words(text: str, size_px: int, colour: Colour = INK) -> Image.Image:
    """A line of text as an image of its own."""
    line = one_line(text)
    sheet = Image.new("RGB", (max(1, text_width(line, size_px)), line_height(size_px)), PAPER)
    ImageDraw.Draw(sheet).text((0, 0), line, fill=colour, font=font(size_px))
    return sheet


def beside(images: Sequence[Image.Image], captions: Sequence[str], size_px: int = _CAPTION_FONT_PX) -> Image.Image:
    """Images in one row, each under its caption."""
    head = line_height(size_px) + 4
    width = sum(image.width for image in images) + _GAP * (len(images) - 1)
    sheet = Image.new("RGB", (width, head + max(image.height for image in images)), PAPER)
    pen = ImageDraw.Draw(sheet)
    left = 0
    for image, caption in zip(images, captions, strict=True):
        pen.text((left, 0), shortened(caption, size_px, image.width), fill=INK, font=font(size_px))
        sheet.paste(image, (left, head))
        left += image.width + _GAP
    return sheet


def above(images: Sequence[Image.Image], gap_px: int = _GAP) -> Image.Image:
    """Images in one column, at the left."""
    height = sum(image.height for image in images) + gap_px * (len(images) - 1)
    sheet = Image.new("RGB", (max(image.width for image in images), height), PAPER)
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height + gap_px
    return sheet


def in_row(images: Sequence[Image.Image], gap_px: int = _GAP) -> Image.Image:
    """Images in one row, at the top."""
    width = sum(image.width for image in images) + gap_px * (len(images) - 1)
    sheet = Image.new("RGB", (width, max(image.height for image in images)), PAPER)
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width + gap_px
    return sheet


def framed(image: Image.Image, margin_px: int = _GAP) -> Image.Image:
    """The image with paper around it."""
    sheet = Image.new("RGB", (image.width + 2 * margin_px, image.height + 2 * margin_px), PAPER)
    sheet.paste(image, (margin_px, margin_px))
    return sheet
