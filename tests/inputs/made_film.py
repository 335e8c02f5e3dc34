"""Films for tests: a bright square that moves over black, where the test says."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from cnnexp.inputs.films import writing_film

SIDE = 12
"""Of the square, in pixels."""
RATE = Fraction(10)
CORNERS = [(8 + 6 * step, 20) for step in range(8)]
"""x and y of the square's left upper corner, frame after frame."""


def picture(corner: tuple[int, int], width: int = 96, height: int = 64) -> Image.Image:
    pixels = np.zeros((height, width, 3), np.uint8)
    x, y = corner
    pixels[y : y + SIDE, x : x + SIDE] = 255
    return Image.fromarray(pixels)


def film(
    path: Path,
    corners: Sequence[tuple[int, int]] = CORNERS,
    times: Sequence[Fraction] | None = None,
    size: tuple[int, int] = (96, 64),
) -> Path:
    """A film of these corners; ``times`` are in seconds."""
    with writing_film(path, {".mp4": "mp4", ".mkv": "matroska"}[path.suffix], RATE) as writer:
        for number, corner in enumerate(corners):
            writer.add(picture(corner, *size), number / RATE if times is None else times[number])
    return path


def corner_of(pixels: np.ndarray) -> tuple[int, int]:
    """Where the square is, in a decoded frame."""
    rows, columns = np.nonzero(pixels.mean(2) > 128)
    return int(columns.min()), int(rows.min())


def turned(path: Path) -> Path:
    """The film as a telephone held upright stores it: to be turned clockwise by a quarter when it is shown."""
    identity, quarter = (
        np.array(numbers, ">i4").tobytes()
        for numbers in (
            [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000],
            [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000],
        )
    )
    content = path.read_bytes()
    start = content.index(identity, content.index(b"tkhd"))
    path.write_bytes(content[:start] + quarter + content[start + len(quarter) :])
    return path
