"""What several methods see in one picture, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import above, beside, enlarged, framed, in_row, line_height, to_image, whole_factor, words
from cnnexp.visualize.palette import Colour
from cnnexp.visualize.saliency import Found
from cnnexp.visualize.sanity import Sanity

_SIDE_PX = 224
_SMALL_PX = 110
_PERCENTILE = 99.0
"""What is above becomes as bright as this: single pixels would leave all others black."""
_OUTLINE: Colour = (0, 158, 115)
_OPACITY = 0.65

Box = tuple[float, float, float, float]


def saliency_image(
    picture: NDArray[np.uint8], found: Mapping[str, Found], title: str, said: str, boxes: Sequence[Box] = ()
) -> Image.Image:
    """The picture, and what each method found in it, in rows.

    Args:
        picture: uint8 (H, W, 1 or 3). said: what was asked about, over the picture. boxes: drawn everywhere, x1 y1 x2
            y2 in pixels.
    """
    drawn = {said: to_image(picture)} | {name: drawn_map(picture, one) for name, one in found.items()}
    images = [_outlined(image, boxes, _SIDE_PX) for image in drawn.values()]
    columns = math.ceil(math.sqrt(2 * len(images))) if len(images) > 3 else len(images)
    captions = list(drawn)
    rows = [
        beside(images[begun : begun + columns], captions[begun : begun + columns])
        for begun in range(0, len(images), columns)
    ]
    return framed(above([words(title, 15), *rows]))


def sanity_image(
    picture: NDArray[np.uint8], result: Sanity, found: Sequence[Mapping[str, Found]], title: str
) -> Image.Image:
    """A row for each method: what it sees in the trained net, and while layers are shuffled from the top down.

    Args:
        found: of each stage.
    """
    side, margin = max(picture.shape[:2]), 118
    factor, less = whole_factor((side, side), _SMALL_PX), max(1, side // _SMALL_PX)
    rows = [words(title, 15), _head(result, margin, -(-picture.shape[1] // less) * factor)]
    for method, correlations in result.correlations.items():
        label = Image.new("RGB", (margin, line_height(13) * 2), (255, 255, 255))
        label.paste(words(method, 13), (0, 0))
        verdict = {True: "falls apart", False: "stays: fails", None: "empty"}[result.passes(method)]
        label.paste(words(verdict, 12), (0, line_height(13)))
        images = [enlarged(drawn_map(picture, stage[method]).reduce(less), factor) for stage in found]
        named = ["" if np.isnan(value) else f"ρ = {value:.2f}" for value in correlations]
        rows.append(in_row([label, beside(images, named, 12)]))
    return framed(above(rows))


def _head(result: Sanity, margin: int, width: int) -> Image.Image:
    sheet = Image.new("RGB", (margin + len(result.layers) * (width + 8), line_height(12) + 2), (255, 255, 255))
    for place, count in enumerate(result.layers):
        text = "trained" if not count else f"top {count} shuffled"
        sheet.paste(words(text, 12), (margin + 8 + place * (width + 8), 0))
    return sheet


def drawn_map(picture: NDArray[np.uint8], one: Found) -> Image.Image:
    """A map as a picture: red for and blue against, or bright for much; what is coarse over the picture in grey."""
    if one.picture is not None:
        return _as_picture(one.picture)
    shown = _coloured(one.values, one.signed)
    if not one.coarse:
        return to_image(shown)
    grey = np.asarray(to_image(picture).convert("L"), np.float64)[..., None]
    strength = (np.abs(_scaled(one.values)) * _OPACITY)[..., None]
    return to_image(np.round((1 - strength) * (0.75 * grey + 64) + strength * shown).astype(np.uint8))


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Into [-1, 1]."""
    largest = np.percentile(np.abs(values), _PERCENTILE) or np.abs(values).max()
    return np.clip(values / largest, -1, 1) if largest else np.zeros_like(values)


def _coloured(values: NDArray[np.float64], signed: bool) -> NDArray[np.uint8]:
    from matplotlib import colormaps

    scaled = _scaled(values)
    colours = colormaps["RdBu_r"]((scaled + 1) / 2) if signed else colormaps["inferno"](scaled)
    return np.round(255 * colours[..., :3]).astype(np.uint8)


def _as_picture(values: NDArray[np.float64]) -> Image.Image:
    """(C, H, W) with 0 as grey; of other numbers of channels than 1 and 3 the mean."""
    shown = values if len(values) in (1, 3) else values.mean(0, keepdims=True)
    return to_image(np.round(127.5 + 127.5 * _scaled(shown)).astype(np.uint8).transpose(1, 2, 0))


def _outlined(image: Image.Image, boxes: Sequence[Box], least_px: int) -> Image.Image:
    factor = whole_factor(image.size, least_px)
    sheet = enlarged(image, factor)
    pen = ImageDraw.Draw(sheet)
    for x1, y1, x2, y2 in boxes:
        edges = (round(x1 * factor), round(y1 * factor), round(x2 * factor) - 1, round(y2 * factor) - 1)
        pen.rectangle((*edges[:2], max(edges[0], edges[2]), max(edges[1], edges[3])), outline=_OUTLINE, width=2)
    return sheet
