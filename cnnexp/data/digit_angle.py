"""Turned handwritten digits: by how many degrees? A number to learn, without a network."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.memory import fitted_split
from cnnexp.data.mnist5k import digits_of
from cnnexp.draws import uniform
from cnnexp.inputs.picture_files import Size

MOST_DEGREES = 45.0
_ANGLE_KEY = 20_170_713  # any constant would do; another one is another data set


class DigitAngle(DataSet):
    """The digits of mnist5k in its split of 4,000 / 500 / 500, each turned by an angle drawn evenly from ±45 degrees.

    Positive angles are counter-clockwise. A digit's angle is a function of its row in the file. Handwriting slants, so
    no net can be exact: the angle is that of the turn, not of the writing.
    """

    targets = ("value",)

    def __init__(self, *, image_size: Size, channels: int) -> None:
        self.image_size = image_size
        self.channels = channels

    def load(self, split: SplitName) -> TensorSplit:
        digits, _, rows = digits_of(split)
        angles = (2 * uniform(_ANGLE_KEY, rows) - 1) * MOST_DEGREES
        turned = np.stack([_turned(digit, angle) for digit, angle in zip(digits, angles.tolist(), strict=True)])
        tensors = {
            "image": torch.from_numpy(turned)[:, None],
            "value": torch.from_numpy(angles.astype(np.float32))[:, None],
        }
        return fitted_split(tensors, self.image_size, self.channels, names=[f"mnist5k/{row}" for row in rows])


def _turned(digit: np.ndarray, degrees: float) -> np.ndarray:
    return np.asarray(Image.fromarray(digit).rotate(degrees, Image.Resampling.BILINEAR))
