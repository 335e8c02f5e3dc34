"""How often each pixel is used by a kernel that goes over a picture, without, with some and with full padding.

Goodfellow, Bengio, Courville 2016, "Deep learning", section 9.5: "valid" uses no zeros and the border least, "same"
keeps the picture's size, and with "full" every pixel is used as often as every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.visualize.canvas import above, enlarged, framed, in_row, to_image, whole_factor, words
from cnnexp.visualize.matrix import matrix_image

Counts = NDArray[np.int64]
Pair = tuple[int, int]

MOST_IN_CELLS = 16
_GREY = (90, 90, 90)
_SHOWN_PX = 256
_GAP_PX = 28


@dataclass(frozen=True)
class Use:
    """A kind of padding and what it does.

    Attributes:
        name: valid, same or full. before, after: zeros at the first and at the last side, (down, across) each.
        output: (H', W'). counts: (H, W), how many outputs use each pixel.
    """

    name: str
    before: Pair
    after: Pair
    output: Pair
    counts: Counts

    @property
    def corner(self) -> int:
        return int(self.counts[0, 0])

    @property
    def edge(self) -> int:
        """The middle of the upper edge."""
        return int(self.counts[0, self.counts.shape[1] // 2])

    @property
    def middle(self) -> int:
        return int(self.counts[self.counts.shape[0] // 2, self.counts.shape[1] // 2])


def kinds(size: Pair, kernel: Pair, stride: int = 1, dilation: int = 1) -> list[Use]:
    """Valid, same and full padding of a picture (H, W).

    "Same" has the size ⌈side / stride⌉; of an odd number of zeros the last side has one more (as TensorFlow has it).

    Raises:
        ValueError: the kernel does not fit into the picture.
    """
    reach = [dilation * (k - 1) for k in kernel]
    if any(more >= side for more, side in zip(reach, size, strict=True)):
        raise ValueError(f"a kernel of {kernel}, dilation {dilation}, does not fit into {size}")
    same = [max(0, (-(-side // stride) - 1) * stride + more + 1 - side) for side, more in zip(size, reach, strict=True)]
    around = {
        "valid": ((0, 0), (0, 0)),
        "same": ((same[0] // 2, same[1] // 2), (same[0] - same[0] // 2, same[1] - same[1] // 2)),
        "full": ((reach[0], reach[1]), (reach[0], reach[1])),
    }
    return [_used(name, size, kernel, stride, dilation, *zeros) for name, zeros in around.items()]


def _used(name: str, size: Pair, kernel: Pair, stride: int, dilation: int, before: Pair, after: Pair) -> Use:
    axes = [_along(size[at], kernel[at], stride, dilation, before[at], after[at]) for at in (0, 1)]
    # a pixel is used by an output where both its row and its column are
    counts = np.outer(axes[0][1], axes[1][1])
    return Use(name, before, after, (axes[0][0], axes[1][0]), counts)


def _along(side: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> tuple[int, Counts]:
    """The outputs along an axis, and how many of them use each pixel."""
    outputs = (side + before + after - dilation * (kernel - 1) - 1) // stride + 1
    taps = stride * np.arange(outputs)[:, None] + dilation * np.arange(kernel)[None] - before
    inside = taps[(taps >= 0) & (taps < side)]
    return outputs, np.bincount(inside, minlength=side).astype(np.int64)


def padding_image(uses: Sequence[Use], title: str) -> Image.Image:
    """A map of counts for each kind: numbers in cells where there are few, otherwise the lighter the more often."""
    blocks = [above([words(_head(one), 13), _drawn(one.counts)], 5) for one in uses]
    note = "in each cell: how many outputs use that pixel"
    return framed(above([words(title, 15), in_row(blocks, _GAP_PX), words(note, 12, _GREY)], 10), 16)


def _head(one: Use) -> str:
    return f"{one.name}: output {one.output[0]}×{one.output[1]}"


def _drawn(counts: Counts) -> Image.Image:
    if max(counts.shape) <= MOST_IN_CELLS:
        return matrix_image(counts)
    image = to_image((counts * (255 / counts.max())).round().astype(np.uint8))
    return enlarged(image, whole_factor(image.size, _SHOWN_PX))
