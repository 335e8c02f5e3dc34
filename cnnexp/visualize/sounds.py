"""Sounds as pictures: the waveform over its energies by time and frequency, and features pixel for pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import INK, PAPER, font, text_width

WIDTH_PX, WAVE_PX, BANDS_PX = 240, 36, 104
_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX, _GAP_PX = 34, 6, 3, 16, 4
_FONT_PX = 10
_GREY = (110, 110, 110)
_SHOWN_DB = 70.0
"""What is so far below the loudest is as dark as silence."""
_TICKS_HZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)
_STANDARD = 3.0
"""Standardised features are drawn from minus so many deviations to plus."""


def sound_picture(
    sound: NDArray[np.floating], bands_db: NDArray[np.floating], centres_hz: NDArray[np.floating], rate_hz: int
) -> NDArray[np.uint8]:
    """uint8 (163, 240, 3): the waveform above, its mel bands in dB below, on axes of seconds and hertz.

    Args:
        sound: (L,), with 1 at full scale; it is drawn as high as it goes. bands_db: (bands, frames), the lowest first.
        centres_hz: of the bands. rate_hz: samples a second.
    """
    top = _TOP_PX + WAVE_PX + _GAP_PX
    sheet = Image.new("RGB", (WIDTH_PX, top + BANDS_PX + _BOTTOM_PX), PAPER)
    wide = WIDTH_PX - _LEFT_PX - _RIGHT_PX
    pen = ImageDraw.Draw(sheet)
    _draw_wave(pen, sound, wide)
    loudest = float(bands_db.max())
    scaled = np.clip((bands_db[::-1] - loudest) / _SHOWN_DB + 1, 0, 1)
    image = Image.fromarray(_coloured(scaled, "magma")).resize((wide, BANDS_PX), Image.Resampling.BILINEAR)
    sheet.paste(image, (_LEFT_PX, top))
    _draw_hertz(pen, centres_hz, top)
    _draw_seconds(pen, len(sound) / rate_hz, top + BANDS_PX, wide)
    return np.asarray(sheet, dtype=np.uint8)


def features_picture(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """uint8 (rows, columns, 3) of standardised features: red is above the mean, blue below it, and white what is 0, as
    behind a sound's end and under masks."""
    return _coloured(np.clip(values / (2 * _STANDARD) + 0.5, 0, 1), "RdBu_r")


def _coloured(part: NDArray[np.floating], colours: str) -> NDArray[np.uint8]:
    from matplotlib import colormaps

    return np.round(255 * colormaps[colours](part)[..., :3]).astype(np.uint8)


def _draw_wave(pen: ImageDraw.ImageDraw, sound: NDArray[np.floating], wide: int) -> None:
    """A line from the lowest to the highest sample for each column of pixels."""
    largest = float(np.abs(sound).max()) or 1.0
    ends = np.linspace(0, len(sound), wide + 1).astype(int)
    middle, half = _TOP_PX + WAVE_PX / 2, WAVE_PX / 2 - 1
    for column in range(wide):
        part = sound[ends[column] : max(ends[column] + 1, ends[column + 1])] / largest
        high, low = (round(middle - half * float(value)) for value in (part.max(), part.min()))
        pen.line((_LEFT_PX + column, high, _LEFT_PX + column, low), fill=INK)


def _draw_hertz(pen: ImageDraw.ImageDraw, centres_hz: NDArray[np.floating], top: int) -> None:
    """Frequencies beside the bands, as many as there is room for."""
    last = float("inf")
    for hertz in _TICKS_HZ:
        if not centres_hz[0] <= hertz <= centres_hz[-1] * 1.1:
            continue
        row = min(float(np.interp(hertz, centres_hz, np.arange(len(centres_hz)))), len(centres_hz) - 1)
        y = round(top + BANDS_PX * (1 - (row + 0.5) / len(centres_hz)))
        if last - y < _FONT_PX + 2:
            continue
        pen.line((_LEFT_PX - 3, y, _LEFT_PX - 1, y), fill=_GREY)
        text = f"{hertz / 1000:g}k" if hertz >= 1000 else str(hertz)
        pen.text((_LEFT_PX - 6 - text_width(text, _FONT_PX), y - 7), text, fill=_GREY, font=font(_FONT_PX))
        last = y
    pen.text((_LEFT_PX - 6 - text_width("Hz", _FONT_PX), top - 20), "Hz", fill=_GREY, font=font(_FONT_PX))


def _draw_seconds(pen: ImageDraw.ImageDraw, seconds: float, bottom: int, wide: int) -> None:
    for second in _ticks(seconds):
        x = _LEFT_PX + round(wide * second / seconds)
        pen.line((x, bottom, x, bottom + 2), fill=_GREY)
        text = f"{second:g}"
        left = min(x - text_width(text, _FONT_PX) // 2, WIDTH_PX - text_width("0.0 s", _FONT_PX) - 4)
        pen.text((left, bottom + 2), text, fill=_GREY, font=font(_FONT_PX))
    pen.text((WIDTH_PX - text_width("s", _FONT_PX) - 2, bottom + 2), "s", fill=_GREY, font=font(_FONT_PX))


def _ticks(seconds: float) -> Sequence[float]:
    """Round numbers from 0 on, three to six of them."""
    steps = [factor * 10.0**power for power in range(-3, 4) for factor in (1, 2, 5)]
    step = next((one for one in steps if seconds / one <= 5), seconds)
    return [round(step * place, 6) for place in range(int(seconds / step) + 1)]
