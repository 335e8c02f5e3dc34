"""A clip as a picture: its first, middle and last frame side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GAP_PX = 2
_PAPER = 255


def clip_picture(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (H, 3 W + 4, C) of the frames (T, H, W, C) of a clip; a clip of fewer than 3 frames shows some twice."""
    first, middle, last = (frames[place] for place in (0, (len(frames) - 1) // 2, len(frames) - 1))
    gap = np.full((first.shape[0], _GAP_PX, first.shape[2]), _PAPER, np.uint8)
    return np.concatenate([first, gap, middle, gap, last], axis=1)
