"""Maps on a sheet: a row a layer with its most active channels, or a row a channel through the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.activations import Activations
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

CELL_PX = 112
"""Maps of 28, 14, 7, 56 and 27 pixels fill it, or nearly so, by whole factors."""
GAP_PX = 6
FONT_PX = 12
HEAD_PX = 150
_BAR_PX = (90, 10)
_ANCHORS = np.linspace(-1, 1, 5)
_COLOURS = np.array([(150, 220, 255), (20, 85, 175), (0, 0, 0), (205, 65, 15), (255, 230, 130)], float)
"""Blue below 0, black at 0, through red to yellow above: what a ReLU takes away is blue."""


def coloured(map_: NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    """A map (h, w) as a picture (h, w, 3): black is 0, yellow +scale, light blue −scale."""
    parts = np.clip(map_ / scale, -1, 1)
    channels = [np.interp(parts, _ANCHORS, _COLOURS[:, place]) for place in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def layers_image(picture: NDArray[np.uint8], rows: Sequence[Activations], count: int, title: str) -> Image.Image:
    """A row for each layer: its name and size, and its most active channels with their numbers, on a scale of its own.

    Args:
        picture: (H, W, C), that the net was given. count: channels of each.
    """
    drawn = []
    for one in rows:
        channels = one.most_active(count)
        scale = _scale(one.maps[channels])
        told = [f"{len(one.maps)} × {one.maps.shape[1]}×{one.maps.shape[2]}"]
        cells = [_cell(coloured(one.maps[number], scale)) for number in channels]
        drawn.append(_row(_head(one.layer, told, scale), cells, [str(number) for number in channels]))
    return framed(above([words(title, FONT_PX + 2), _cell(picture), *drawn]))


def epochs_image(
    picture: NDArray[np.uint8],
    films: Mapping[str, Sequence[Activations]],
    channels: Mapping[str, Sequence[int]],
    epochs: Sequence[str],
    title: str,
) -> Image.Image:
    """A strip for each channel, from left to right through the epochs; the channels of a layer are on one scale.

    Args:
        films: the maps of each layer by its name, one for each epoch. channels: of each layer, that are drawn.
        epochs: what stands above the columns.
    """
    drawn = []
    for layer, film in films.items():
        scale = max(_scale(one.maps[list(channels[layer])]) for one in film)
        for place, number in enumerate(channels[layer]):
            cells = [_cell(coloured(one.maps[number], scale)) for one in film]
            head = _head(layer if place == 0 else "", [f"channel {number}"], scale if place == 0 else None)
            drawn.append(_row(head, cells, [f"epoch {epoch}" for epoch in epochs]))
    return framed(above([words(title, FONT_PX + 2), _cell(picture), *drawn]))


def _cell(picture: NDArray[np.uint8]) -> Image.Image:
    return fitted(to_image(picture), CELL_PX, Image.Resampling.BOX)


def _scale(maps: NDArray[np.float32]) -> float:
    return float(np.abs(maps).max()) or 1.0


def _row(head: Image.Image, cells: Sequence[Image.Image], captions: Sequence[str]) -> Image.Image:
    foot = line_height(FONT_PX) + 1
    height = max(head.height, max(one.height for one in cells) + foot)
    sheet = Image.new("RGB", (HEAD_PX + len(cells) * (CELL_PX + GAP_PX), height), PAPER)
    sheet.paste(head, (0, 0))
    pen = ImageDraw.Draw(sheet)
    for place, (one, caption) in enumerate(zip(cells, captions, strict=True)):
        left = HEAD_PX + place * (CELL_PX + GAP_PX) + (CELL_PX - one.width) // 2
        sheet.paste(one, (left, 0))
        pen.text((left, one.height + 1), caption, fill=INK, font=font(FONT_PX))
    return sheet


def _head(name: str, told: Sequence[str], scale: float | None) -> Image.Image:
    """The name of a row, what is told of it, and the bar of its scale."""
    step = line_height(FONT_PX) + 1
    sheet = Image.new("RGB", (HEAD_PX - 8, step * (2 + len(told) + 1)), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, line in enumerate([name, *told]):
        pen.text((0, place * step), ending(line, FONT_PX, HEAD_PX - 10), fill=INK, font=font(FONT_PX))
    if scale is not None:
        ramp = np.linspace(-scale, scale, _BAR_PX[0], dtype=np.float32)[None]
        top = (1 + len(told)) * step + 3
        sheet.paste(to_image(coloured(ramp, scale)).resize(_BAR_PX), (0, top))
        pen.text(
            (_BAR_PX[0] + 4, top - 3), f"±{scale:.2g}" if scale < 100 else f"±{scale:.0f}", fill=INK, font=font(FONT_PX)
        )
    return sheet
