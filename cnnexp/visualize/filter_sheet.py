"""Filters on a sheet: tiles of pixels where they lie over pictures or maps, curves where they lie over time."""

from __future__ import annotations

from collections.abc import Sequence

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
    in_row,
    line_height,
    text_width,
    to_image,
    words,
)
from cnnexp.visualize.filters import Filters, tile
from cnnexp.visualize.png import figure_image, new_figure

SHEET_PX = 800
"""About so wide is a sheet of tiles at most."""
TALLEST_PX = 1100
LEAST_TILE_PX, MOST_TILE_PX = 8, 72
FONT_PX = 12
GAP_PX = 3
BESIDE_PX = 560
_BAR_PX = (180, 12)
_COLUMNS = 16
"""Tiles in a row, where each is a filter of its own."""
COLOURS = 3
"""Maps of a colour picture: a filter over them is a colour tile."""


def plain(filters: Filters) -> bool:
    """Whether a filter is one tile: it lies over a colour picture, or over a single map."""
    return filters.weights.ndim == 4 and filters.weights.shape[1] in (1, COLOURS)


def tiles_image(
    filters: Filters, scale: float, rows: Sequence[int], columns: Sequence[int] | None = None
) -> Image.Image:
    """Tiles, numbered at the left, and above where the maps that go in differ.

    Args:
        filters: over two sides. scale: weight that is white. rows: filters that are drawn, in this order; all in turn
            where a filter is one tile. columns: maps that go in; None where a filter is one tile.
    """
    if columns is not None:
        parts = [[filters.weights[row, column] for column in columns] for row in rows]
        return _table(parts, scale, [str(row) for row in rows], [str(column) for column in columns])
    turns = [rows[at : at + _COLUMNS] for at in range(0, len(rows), _COLUMNS)]
    parts = [[_only_part(filters.weights[number]) for number in turn] for turn in turns]
    return _table(parts, scale, [str(turn[0]) for turn in turns], [])


def _only_part(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    return weights if len(weights) == COLOURS else weights[0]


def _table(
    parts: Sequence[Sequence[NDArray[np.float32]]], scale: float, left: Sequence[str], top: Sequence[str]
) -> Image.Image:
    """Rows of tiles with words at the left and above; of many only those are written for which there is room."""
    height, width = parts[0][0].shape[-2:]
    most = max(len(row) for row in parts)
    room = min((SHEET_PX // most - GAP_PX) // width, (TALLEST_PX // len(parts) - GAP_PX) // height)
    factor = max(1, min(room, MOST_TILE_PX // max(height, width)))
    gap = GAP_PX if factor * width >= LEAST_TILE_PX else 1
    step_x, step_y = factor * width + gap, factor * height + gap
    margin = max(text_width(word, FONT_PX) for word in left) + 8
    head = line_height(FONT_PX) + 2 if top else 0
    sheet = Image.new("RGB", (margin + most * step_x, head + len(parts) * step_y), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place in _roomy(len(left), step_y, line_height(FONT_PX)):
        y = head + place * step_y + (step_y - gap - line_height(FONT_PX)) // 2
        pen.text((margin - 8 - text_width(left[place], FONT_PX), y), left[place], fill=INK, font=font(FONT_PX))
    for place in _roomy(len(top), step_x, max((text_width(word, FONT_PX) for word in top), default=0) + 4):
        x = margin + place * step_x + (step_x - gap - text_width(top[place], FONT_PX)) // 2
        pen.text((x, 0), top[place], fill=INK, font=font(FONT_PX))
    for i, row in enumerate(parts):
        for j, part in enumerate(row):
            sheet.paste(enlarged(to_image(tile(part, scale)), factor), (margin + j * step_x, head + i * step_y))
    return sheet


def _roomy(count: int, step_px: int, need_px: int) -> range:
    return range(0, count, max(1, -(-need_px // step_px)))


def legend(scale: float, filters: Filters) -> Image.Image:
    """What a pixel's brightness, or each of its colours, is as a weight."""
    colour = plain(filters) and filters.weights.shape[1] == COLOURS
    ramp = np.linspace(-scale, scale, _BAR_PX[0], dtype=np.float32)
    bars = {"all": np.repeat(ramp[None], COLOURS, 0)} if colour else {"": ramp[None]}
    if colour:
        for place, name in enumerate(("red", "green", "blue")):
            bars[name] = np.zeros((COLOURS, _BAR_PX[0]), np.float32)
            bars[name][place] = ramp
    drawn = [_bar(values, scale, name) for name, values in bars.items()]
    sheet = Image.new("RGB", (sum(one.width for one in drawn) + 12 * (len(drawn) - 1), drawn[0].height), PAPER)
    left = 0
    for one in drawn:
        sheet.paste(one, (left, 0))
        left += one.width + 12
    return sheet


def _bar(values: NDArray[np.float32], scale: float, name: str) -> Image.Image:
    row = values[:, None, :] if len(values) == COLOURS else values
    bar = to_image(tile(row, scale)).resize(_BAR_PX)
    low, high = f"−{scale:.2g}", f"{scale:.2g}"
    ends = [text_width(low, FONT_PX) + 4, text_width(high, FONT_PX) + 4]
    told = f" {name}" if name else ""
    sheet = Image.new("RGB", (sum(ends) + _BAR_PX[0] + text_width(told, FONT_PX), line_height(FONT_PX)), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((0, 0), low, fill=INK, font=font(FONT_PX))
    sheet.paste(bar, (ends[0], (sheet.height - bar.height) // 2))
    pen.text((ends[0] + _BAR_PX[0] + 4, 0), f"{high}{told}", fill=INK, font=font(FONT_PX))
    return sheet


def curves_image(filters: Filters, scale: float, rows: Sequence[int], before: Filters | None = None) -> Image.Image:
    """Filters over time (K, C, length): a small chart each, a line for each map that goes in, on one scale.

    Args:
        rows: filters that are drawn. before: drawn dotted.
    """
    columns = min(8, len(rows))
    count = -(-len(rows) // columns)
    figure = new_figure(1.45 * columns + 0.3, 1.15 * count + 0.5)
    grid = figure.subplots(count, columns, sharex=True, sharey=True, squeeze=False).flatten()
    for axes, number in zip(grid, rows, strict=False):
        for line in filters.weights[number]:
            axes.plot(line, lw=1.3)
        axes.set_prop_cycle(None)
        for line in before.weights[number] if before is not None else ():
            axes.plot(line, ":", lw=1)
        axes.axhline(0, color="#999999", lw=0.6)
        axes.set_title(str(number), fontsize=8, pad=2)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[len(rows) :]:
        axes.set_visible(False)
    grid[0].set_ylim(-1.05 * scale, 1.05 * scale)
    figure.supxlabel("sample of the filter", fontsize=9)
    figure.supylabel("weight", fontsize=9)
    return figure_image(figure)


def before_and_after(before: Image.Image, after: Image.Image) -> Image.Image:
    """Two sheets beside each other where they are narrow, else one above the other."""
    pair = [above([words("as it began", FONT_PX + 1), before]), above([words("after training", FONT_PX + 1), after])]
    return in_row(pair, 20) if before.width <= BESIDE_PX else above(pair)


def titled(images: Sequence[Image.Image], title: str) -> Image.Image:
    """A sheet under its title."""
    return framed(above([words(title, FONT_PX + 2), *images]))
