"""Pairs of pictures side by side, with how similar they were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from cnnexp.visualize.grid import grid_image

_PAIRS_IN_A_ROW = 4


def pairs_image(pictures: Sequence[NDArray[Any]], similar: Sequence[float], names: Sequence[str]) -> Image.Image:
    """Two pictures after each other for each pair, those of two identities marked.

    Args:
        pictures: uint8 (H, W, C), two for each pair. similar: of each pair. names: whose each picture is.
    """
    captions = []
    for place, name in enumerate(names):
        captions.append(f"{name}, {similar[place // 2]:.2f}" if place % 2 == 0 else name)
    apart = [place for place in range(len(names)) if names[place] != names[place ^ 1]]
    return grid_image(pictures, captions, columns=2 * _PAIRS_IN_A_ROW, marked=apart)
