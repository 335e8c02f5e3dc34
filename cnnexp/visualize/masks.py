"""The class of each pixel as a colour over the picture, with a legend; the truth beside the prediction."""

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
    beside,
    enlarged,
    font,
    framed,
    line_height,
    shortened,
    text_width,
    to_image,
    whole_factor,
)
from cnnexp.visualize.palette import VOID, Colour, class_colour

VOID_LABEL = 255
_LEAST_SIDE_PX = 320
_FONT_PX = 13


def masks_image(
    picture: NDArray[Any],
    mask: NDArray[Any],
    names: Sequence[str],
    *,
    truth: NDArray[Any] | None = None,
    opacity: float = 0.6,
    background: int | None = None,
) -> Image.Image:
    """The picture, the truth over it where it is known, and the predicted mask over it, above a legend.

    Args:
        picture: uint8, (H, W, 3) or (H, W, 1).
        mask: (H, W), the class of each pixel; 255 is void and grey.
        names: of the classes.
        truth: (H, W), the mask as it should be.
        opacity: of the colours, 0 to 1.
        background: the class that is left uncoloured; without one, a first class called "background" is.

    Raises:
        ValueError: a mask is of another size than the picture.
    """
    image = to_image(picture)
    if background is None and names and names[0].casefold() == "background":
        background = 0
    masks = [np.asarray(mask)] if truth is None else [np.asarray(truth), np.asarray(mask)]
    captions = ["picture", "prediction"] if truth is None else ["picture", "ground truth", "prediction"]
    overlays = [overlay(image, one, opacity, background) for one in masks]
    factor = whole_factor(image.size, _LEAST_SIDE_PX)
    panels = beside([enlarged(one, factor) for one in (image, *overlays)], captions)
    present = sorted({int(label) for one in masks for label in np.unique(one)} - {background})
    if not present:
        return framed(panels)
    return framed(above([panels, legend(present, names, panels.width)]))


def overlay(image: Image.Image, mask: NDArray[Any], opacity: float, background: int | None = None) -> Image.Image:
    """The image with each pixel mixed with its class' colour: (1 − opacity) · pixel + opacity · colour.

    Raises:
        ValueError: the mask, (H, W), is of another size than the image.
    """
    if mask.shape != (image.height, image.width):
        raise ValueError(
            f"the mask is {mask.shape}, the picture {(image.height, image.width)}: they must be of one size"
        )
    colours = np.array([mask_colour(label) for label in range(256)], np.float32)
    weights = np.full((256, 1), opacity, np.float32)
    if background is not None:
        weights[background] = 0.0
    labels = mask.astype(np.uint8)
    mixed = np.asarray(image, np.float32) * (1 - weights[labels]) + colours[labels] * weights[labels]
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def mask_colour(label: int) -> Colour:
    """The colour of a mask's value: that of the class, or grey for void."""
    return VOID if label == VOID_LABEL else class_colour(label)


def legend(labels: Sequence[int], names: Sequence[str], width_px: int) -> Image.Image:
    """A swatch and a name for each class that occurs, in as many lines as it takes."""
    height = line_height(_FONT_PX) + 4
    swatch = height - 6
    places, left, top = [], 0, 0
    for label in labels:
        name = shortened(_name(label, names), _FONT_PX, width_px - swatch - 6)
        wide = swatch + 6 + text_width(name, _FONT_PX)
        if left and left + wide > width_px:
            left, top = 0, top + height
        places.append((label, name, left, top))
        left += wide + 14
    sheet = Image.new("RGB", (width_px, top + height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for label, name, left, top in places:
        pen.rectangle((left, top + 2, left + swatch, top + 2 + swatch), fill=mask_colour(label), outline=INK)
        pen.text((left + swatch + 6, top), name, fill=INK, font=font(_FONT_PX))
    return sheet


def _name(label: int, names: Sequence[str]) -> str:
    if label == VOID_LABEL:
        return "void"
    return names[label] if label < len(names) else f"class {label}"
