"""A stride takes every s-th place of the dense result, and only what it takes has to be computed.

Goodfellow, Bengio, Courville 2016, "Deep learning", equation 9.10 and figure 9.12: a convolution with a stride is the
one without it followed by downsampling, which computes many values that are then thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import above, enlarged, framed, in_row, to_image, whole_factor, words
from cnnexp.visualize.kernels import Array, convolve, on_scale, scale_of
from cnnexp.visualize.matrix import matrix_image

MOST_IN_CELLS = 12
_TAKEN = (213, 94, 0)  # Okabe and Ito's vermilion
_GREY = (90, 90, 90)
_SHOWN_PX = 256
_GAP_PX = 28


@dataclass(frozen=True)
class Strided:
    """A kernel at every place and at every `stride`-th.

    Attributes:
        kernel: (h, w). stride, padding: in pixels. picture: (C, H, W). dense, strided: (C, H', W').
    """

    kernel: Array
    stride: int
    padding: int
    picture: Array
    dense: Array
    strided: Array

    @property
    def sampled(self) -> Array:
        """Every `stride`-th row and column of the dense result."""
        return self.dense[:, :: self.stride, :: self.stride]

    @property
    def largest_difference(self) -> float:
        """Between what the stride gives and the sampled dense result."""
        return float(np.abs(self.strided - self.sampled).max())

    @property
    def dense_multiply_adds(self) -> int:
        """One for each weight at each place; the kernel goes over each channel by itself."""
        return self.dense.size * self.kernel.size

    @property
    def strided_multiply_adds(self) -> int:
        return self.strided.size * self.kernel.size

    @property
    def part(self) -> float:
        """Of the dense result's work: 1/s² where s divides its sides, a little more where the last step is cut."""
        return self.strided_multiply_adds / self.dense_multiply_adds


def stride_over(picture: Array, kernel: Array, stride: int, padding: int = 0) -> Strided:
    """Both results, each computed by itself.

    Args:
        picture: (C, H, W). kernel: (h, w). stride: at least 1. padding: zeros around, in pixels.

    Raises:
        ValueError: the kernel is larger than the padded picture.
    """
    dense, strided = convolve(picture, kernel, 1, padding), convolve(picture, kernel, stride, padding)
    return Strided(kernel, stride, padding, picture, dense, strided)


def stride_image(one: Strided, written: bool, notes: Sequence[str]) -> Image.Image:
    """The input, the dense result with the places that the stride takes framed, and what the stride gives.

    Args:
        written: numbers stand in the cells where there are few. notes: lines below.
    """
    dense = _drawn(one.dense, written)
    if _in_cells(one.dense, written):
        _frame_places(dense, one)
    blocks = [
        _named(f"input, {_size(one.picture)}", _drawn(one.picture, written)),
        _named("kernel", matrix_image(one.kernel)),
        _named(f"stride 1, {_size(one.dense)}", dense),
        _named(f"stride {one.stride}, {_size(one.strided)}", _drawn(one.strided, written)),
    ]
    return framed(above([in_row(blocks, _GAP_PX), *(words(note, 12, _GREY) for note in notes)], 8), 16)


def _frame_places(image: Image.Image, one: Strided) -> None:
    height, width = image.height // one.dense.shape[1], image.width // one.dense.shape[2]
    pen = ImageDraw.Draw(image)
    for row in range(0, one.dense.shape[1], one.stride):
        for column in range(0, one.dense.shape[2], one.stride):
            corner = (column * width + 1, row * height + 1)
            pen.rectangle((*corner, corner[0] + width - 2, corner[1] + height - 2), outline=_TAKEN, width=2)


def _in_cells(values: Array, written: bool) -> bool:
    return written and max(values.shape[1:]) <= MOST_IN_CELLS


def _drawn(values: Array, written: bool) -> Image.Image:
    if _in_cells(values, written):
        return matrix_image(values[0])
    image = to_image(on_scale(values, scale_of(values)))
    return enlarged(image, whole_factor(image.size, _SHOWN_PX) if max(image.size) < _SHOWN_PX else 1)


def _named(name: str, image: Image.Image) -> Image.Image:
    return above([words(name, 13), image], 5)


def _size(values: Array) -> str:
    return f"{values.shape[1]}×{values.shape[2]}"
