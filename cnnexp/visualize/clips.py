"""A clip as a picture, its first, middle and last frame side by side; and as one that moves."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from cnnexp.visualize.canvas import enlarged, to_image, whole_factor

_GAP_PX = 2
_PAPER = 255
_LEAST_SIDE_PX = 112
_FRAME_MS = 80
_REST_MS = 800
"""How long the last frame stays, so that one sees where a clip ends."""


def clip_picture(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (H, 3 W + 4, C) of the frames (T, H, W, C) of a clip; a clip of fewer than 3 frames shows some twice."""
    first, middle, last = (frames[place] for place in (0, (len(frames) - 1) // 2, len(frames) - 1))
    gap = np.full((first.shape[0], _GAP_PX, first.shape[2]), _PAPER, np.uint8)
    return np.concatenate([first, gap, middle, gap, last], axis=1)


def moving_picture(frames: NDArray[np.uint8]) -> bytes:
    """The frames (T, H, W, C) of a clip as a WebP file that plays them again and again, small ones enlarged."""
    images = [to_image(frame) for frame in frames]
    factor = whole_factor(images[0].size, _LEAST_SIDE_PX)
    first, *others = [enlarged(image, factor).convert("RGB") for image in images]
    content = BytesIO()
    times = [*[_FRAME_MS] * len(others), _REST_MS]
    first.save(content, "WEBP", save_all=True, append_images=others, duration=times, loop=0, lossless=factor > 1)
    return content.getvalue()
