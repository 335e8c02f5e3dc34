"""Scenes like those of ``digit_scenes`` with a colour for each digit, in one byte a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.data.base import SPLITS, SplitName
from cnnexp.data.digit_scenes import compose
from cnnexp.draws import uniform
from cnnexp.inputs.picture_files import Size, fit_pictures

COLOURS = {"red": (255, 48, 48), "green": (48, 210, 64), "blue": (72, 112, 255), "yellow": (255, 214, 40)}
"""As a digit's brightest pixels have them."""
MOST_DIGITS = 3
"""In a scene: of more a net would need more questions than are asked here."""
NOTHING = -1
"""In the place of a digit that is not there."""
_SHADES = 64
"""Of each colour, so that colour and shade fit in a byte."""
# Of the draws, apart from those of ``digit_scenes``, which has 0 to 4.
_COLOUR = 5


@dataclass(frozen=True)
class ColouredScenes:
    """``N`` scenes of up to ``M`` digits.

    Attributes:
        pictures: colour * 64 + shade of each pixel, uint8 (N, 64, 64); shade 0 is black.
        digits, colours: (N, M), ``NOTHING`` where there is no digit. centres: x and y of boxes in pixels, (N, M, 2).
    """

    pictures: NDArray[np.uint8]
    digits: NDArray[np.int64]
    colours: NDArray[np.int64]
    centres: NDArray[np.float64]


def coloured_scenes(scene_seed: int, split: SplitName, count: int) -> ColouredScenes:
    """The first scenes of a split, of one to three digits; each is a function of (scene_seed, split, its number)."""
    numbers = np.arange(count)
    scenes = compose(scene_seed, split, numbers, MOST_DIGITS)
    slots = np.arange(scenes.classes.shape[1])
    drawn = uniform(scene_seed, SPLITS.index(split), numbers[:, None], _COLOUR, slots)
    colours = np.where(scenes.classes == NOTHING, NOTHING, (drawn * len(COLOURS)).astype(np.int64))
    # instances count from 1, and 0 is the background, whose shade is 0 whatever its colour is
    of_pixels = np.concatenate([np.zeros((count, 1), np.int64), colours.clip(min=0)], 1).astype(np.uint8)
    flat = scenes.instances.reshape(count, -1).astype(np.int64)
    pixels = np.take_along_axis(of_pixels, flat, 1).reshape(scenes.pictures.shape)
    boxes = scenes.boxes.astype(np.float64)
    return ColouredScenes(
        pixels * np.uint8(_SHADES) + scenes.pictures // np.uint8(256 // _SHADES),
        scenes.classes,
        colours,
        (boxes[..., :2] + boxes[..., 2:]) / 2,
    )


class Painted:
    """Such bytes → pictures uint8 (B, 3, H, W), for one tensor of a batch; a class, so that a split can be pickled.

    Args:
        key: of the tensor. image_size: height and width wanted.
    """

    def __init__(self, key: str, image_size: Size) -> None:
        self.key, self.image_size = key, image_size
        shades = np.arange(_SHADES) / (_SHADES - 1)
        table = shades[None, :, None] * np.array(list(COLOURS.values()))[:, None]
        self._table = torch.from_numpy(np.rint(table).astype(np.uint8).reshape(-1, 3).T.copy())

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        codes = batch[self.key]
        flat = codes.reshape(-1).int()
        channels = [table.index_select(0, flat).view(codes.shape) for table in self._table]
        return {**batch, self.key: fit_pictures(torch.stack(channels, 1), self.image_size, len(channels))}
