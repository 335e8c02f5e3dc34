"""A signal as a picture: its channels as lines over time, one above another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import INK, PAPER

WIDTH_PX, CHANNEL_PX = 240, 80
_MARGIN_PX = 4
_OVERSAMPLED = 3
"""Drawn so many times as large, for smooth lines."""


def signal_picture(signal: NDArray[np.floating]) -> NDArray[np.uint8]:
    """uint8 (channels x 80, 240, 3) of a signal (C, L); each channel fills its strip from its least to its largest."""
    height = len(signal) * CHANNEL_PX
    image = Image.new("RGB", (WIDTH_PX * _OVERSAMPLED, height * _OVERSAMPLED), PAPER)
    pen = ImageDraw.Draw(image)
    for place, values in enumerate(signal):
        pen.line(_points(values, place), fill=INK, width=_OVERSAMPLED + 1, joint="curve")
    return np.asarray(image.resize((WIDTH_PX, height), Image.Resampling.LANCZOS), dtype=np.uint8)


def _points(values: NDArray[np.floating], place: int) -> list[tuple[float, float]]:
    low, high = float(values.min()), float(values.max())
    part = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    x = _MARGIN_PX + np.linspace(0, 1, len(values)) * (WIDTH_PX - 2 * _MARGIN_PX)
    y = place * CHANNEL_PX + _MARGIN_PX + (1 - part) * (CHANNEL_PX - 2 * _MARGIN_PX)
    return [(float(a) * _OVERSAMPLED, float(b) * _OVERSAMPLED) for a, b in zip(x, y, strict=True)]
