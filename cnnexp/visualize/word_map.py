"""Words where their vectors lie in the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import INK, PAPER, above, font, framed, line_height, one_line, shortened, text_width, words

LEAST_WORDS = 8
SIZE_PX = (1000, 720)
FONT_PX, DOT_PX, GAP_PX = 12, 2, 2
_DOT = (150, 175, 205)


def word_map_image(rows: NDArray[np.float32], names: Sequence[str]) -> Image.Image:
    """Words by the first two principal components of the directions of their vectors (N, width).

    The first ones keep their places; one that would lie over another is a dot.
    """
    directions = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    points, parts = components(directions.astype(np.float64))
    sheet = Image.new("RGB", SIZE_PX, PAPER)
    pen, taken = ImageDraw.Draw(sheet), list[tuple[float, float, float, float]]()
    high = line_height(FONT_PX)
    for name, (x, y) in zip(names, _on_sheet(points), strict=True):
        told = shortened(one_line(name), FONT_PX, 140)
        wide = text_width(told, FONT_PX)
        x = min(max(x, wide / 2 + GAP_PX), SIZE_PX[0] - wide / 2 - GAP_PX)
        box = (x - wide / 2 - GAP_PX, y - high / 2, x + wide / 2 + GAP_PX, y + high / 2)
        if any(box[0] < to and at < box[2] and box[1] < low and top < box[3] for at, top, to, low in taken):
            pen.ellipse((x - DOT_PX, y - DOT_PX, x + DOT_PX, y + DOT_PX), fill=_DOT)
            continue
        taken.append(box)
        pen.text((x, y), told, fill=INK, font=font(FONT_PX), anchor="mm")
    title = (
        f"{len(names)} frequent words by the directions of their vectors: first two principal components, "
        f"{parts[0]:.0%} and {parts[1]:.0%} of the variance"
    )
    return framed(above([words(title, FONT_PX + 1), sheet], 6))


def components(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """The first two principal components of rows (N, D), as points (N, 2), and the part of the variance along each."""
    centred = rows - rows.mean(0)
    left, lengths, _ = np.linalg.svd(np.pad(centred, ((0, 0), (0, 1))), full_matrices=False)
    total = float(np.square(lengths).sum()) or 1.0
    first, second = (float(length) ** 2 / total for length in lengths[:2])
    return left[:, :2] * lengths[:2], (first, second)


def _on_sheet(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points as pixels, with room for a line of text at every edge."""
    low, span = points.min(0), np.ptp(points, axis=0)
    room = np.array(SIZE_PX) - 2 * np.array([40, 14])
    places = (points - low) / np.where(span > 0, span, 1) * room + [40, 14]
    places[:, 1] = SIZE_PX[1] - places[:, 1]  # upwards, as in a chart
    return places
