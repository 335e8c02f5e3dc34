"""Classic kernels on a picture: what a convolution with fixed weights makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional

from cnnexp.models.fft_conv import fft_conv2d
from cnnexp.visualize.canvas import (
    PAPER,
    above,
    enlarged,
    framed,
    to_image,
    whole_factor,
    words,
)
from cnnexp.visualize.matrix import figure, matrix_image

Array = NDArray[np.float64]

KERNELS: dict[str, Array] = {
    "identity": np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "edges, 8 neighbours": np.array([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "edges, 4 neighbours": np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "box blur": np.full((3, 3), 1 / 9),
    "difference from the left neighbour": np.array([[-1.0, 1.0]]),
}
"""Applied without turning them around: what nets call a convolution is a cross-correlation.

The second edge detector is the discrete Laplacian, whose middle is negative (Gonzalez, Woods 2018, "Digital image
processing", equation 3-53); the first one has the other sign. Where an edge is shows in the size of either.
"""
CONVENTION = "output[i, j] = Σ x[i·stride + a, j·stride + b] · w[a, b], a sum of products"
Scale = tuple[float, float]
"""What is shown black and white where a kernel's weights add up to 1."""
OF_PICTURES: Scale = (0.0, 255.0)

_FLAT = 1e-9
"""Below this variance, in units of the squared scale, a patch has no pattern to be compared."""
_BRIGHTEST_PERCENTILE = 99.5
MOST_IN_CELLS = 12
"""A side of a matrix up to which its numbers are written into a picture."""
_GREY = (90, 90, 90)
_CELL_PX = 256
_GAP_PX = 16
_FONT_PX = 13


@dataclass(frozen=True)
class Response:
    """What a kernel makes of a picture.

    Attributes:
        name: of the kernel. kernel: (h, w). output: (C, H', W'), each channel alone. picture: uint8 (H', W', C), as it
            is shown. shown: how it is shown, in words.
        frame: top, left, height and width of a place that is marked in the picture.
    """

    name: str
    kernel: Array
    output: Array
    picture: NDArray[np.uint8]
    shown: str
    frame: tuple[int, int, int, int] | None = None


def convolve(picture: Array, kernel: Array, stride: int = 1, padding: int = 0) -> Array:
    """Cross-correlate every channel with a kernel.

    Args:
        picture: (C, H, W). kernel: (h, w). stride: in pixels, at least 1. padding: zeros around, in pixels.

    Returns:
        (C, ⌊(H − h + 2·padding) / stride⌋ + 1, and the same of W).

    Raises:
        ValueError: the kernel is larger than the padded picture.
    """
    if any(k > side + 2 * padding for k, side in zip(kernel.shape, picture.shape[1:], strict=True)):
        raise ValueError(f"a kernel of {kernel.shape} does not fit into a picture of {picture.shape[1:]}")
    channels = torch.from_numpy(picture)[:, None]
    weights = torch.from_numpy(np.ascontiguousarray(kernel, float))[None, None]
    return functional.conv2d(channels, weights, stride=stride, padding=padding)[:, 0].numpy()


def respond(
    picture: Array, name: str, kernel: Array, stride: int = 1, padding: int = 0, scale: Scale = OF_PICTURES
) -> Response:
    """A kernel's output on a picture with values within a scale, and how to show it."""
    output = convolve(picture, kernel, stride, padding)
    total = float(kernel.sum())
    if abs(total) < 1e-9:
        return Response(name, kernel, output, *_strength(output))
    if abs(total - 1) < 1e-9:
        shown = "as a picture, 0 to 255" if scale == OF_PICTURES else "as the matrix"
        return Response(name, kernel, output, on_scale(output, scale), shown)
    low, high = float(output.min()), float(output.max())
    return Response(name, kernel, output, on_scale(output, (low, high)), f"black {figure(low)}, white {figure(high)}")


def scale_of(values: Array) -> Scale:
    """From the smallest to the largest value."""
    return float(values.min()), float(values.max())


def on_scale(values: Array, scale: Scale) -> NDArray[np.uint8]:
    """(C, H, W) → uint8 (H, W, C), the scale's ends black and white."""
    low, high = scale
    return _pixels((values - low) * (255 / max(high - low, 1e-12)))


def match_template(picture: Array, place: tuple[int, int], side: int, scale: Scale = OF_PICTURES) -> Response:
    """Look for a patch of the picture in the whole of it, by normalised cross-correlation.

    The kernel is the patch less its mean; its output at each place is divided by the product of the patch's norm and
    the norm of what lies there, less its mean. So it lies in [−1, 1], and is 1 where the patch was cut (Lewis 1995,
    "Fast normalized cross-correlation", equation 2). The plain cross-correlation would be largest on bright ground.

    Args:
        picture: (C, H, W); channels are summed. place: row and column of the patch's corner. side: of it, in pixels.
        scale: of the picture's values; a patch that varies by less than some 1/30,000 of it counts as flat.
    """
    row, column = place
    scaled = torch.from_numpy(picture) / max(scale[1] - scale[0], 1e-12)
    patch = scaled[:, row : row + side, column : column + side]
    weights = patch - patch.mean()
    agreement = fft_conv2d(scaled[None], weights[None])[0, 0]
    count = weights.numel()
    mean, square = (_sums(values, side) / count for values in (scaled, scaled.square()))
    variance = (square - mean.square()).clamp(min=0)
    norms = (variance * count).sqrt() * weights.norm()
    flat = variance < _FLAT
    output = torch.where(flat, 0, agreement / torch.where(flat, 1, norms)).clamp(-1, 1).numpy()[None]
    frame = (row, column, side, side)
    shown = "white: the same, black: no likeness"
    return Response("template matching", patch.mean(0).numpy(), output, _pixels(255 * output), shown, frame)


def busiest_place(picture: Array, side: int) -> tuple[int, int]:
    """Row and column of the patch with the largest variance: something to be looked for."""
    values = torch.from_numpy(picture) / 255
    count = values.shape[0] * side**2
    variance = _sums(values.square(), side) / count - (_sums(values, side) / count).square()
    place = int(variance.argmax())
    return place // variance.shape[1], place % variance.shape[1]


def sheet(
    picture: Array,
    responses: Sequence[Response],
    columns: int = 4,
    scale: Scale = OF_PICTURES,
    written: bool = False,
    notes: Sequence[str] = (),
) -> Image.Image:
    """The picture and what each kernel makes of it, with its name, its numbers and how it is shown.

    Args:
        picture: (C, H, W). scale: of its values. written: numbers stand in the cells of what has at most
            `MOST_IN_CELLS` a side. notes: lines at the bottom.
    """
    frame = next((one.frame for one in responses if one.frame), None)
    lines = [f"{_size(picture)}, {_range(picture)}", *(["framed: the template"] if frame else [])]
    image = _drawn(picture, on_scale(picture, scale), written and _in_cells(picture))
    panels = [_panel("the matrix" if written else "the picture", _framed_in(image, picture, frame), None, lines)]
    for one in responses:
        numbers = written and _in_cells(one.output)
        lines = [f"{_size(one.output)}, {_range(one.output)}", *([] if numbers else [one.shown])]
        image = _drawn(one.output, one.picture, numbers)
        panels.append(_panel(one.name, image, None if one.frame else one.kernel, lines))
    rows = [panels[start : start + columns] for start in range(0, len(panels), columns)]
    widths = [max(row[place].width for row in rows if place < len(row)) for place in range(min(columns, len(panels)))]
    below = [words(note, _FONT_PX, _GREY) for note in notes]
    return framed(above([*(_row(row, widths) for row in rows), *below], _GAP_PX), _GAP_PX)


def _range(output: Array) -> str:
    return f"{figure(float(output.min()))} to {figure(float(output.max()))}"


def _in_cells(values: Array) -> bool:
    return max(values.shape[1:]) <= MOST_IN_CELLS


def _size(values: Array) -> str:
    return f"{values.shape[1]}×{values.shape[2]}"


def _strength(output: Array) -> tuple[NDArray[np.uint8], str]:
    """The size of a response of either sign; the few largest would leave the rest dark."""
    size = np.abs(output)
    white = float(np.percentile(size, _BRIGHTEST_PERCENTILE)) or 1.0
    return _pixels(size * (255 / white)), f"black 0, white ±{figure(white)} and more"


def _pixels(values: Array) -> NDArray[np.uint8]:
    """(C, H, W), 0 to 255 → uint8 (H, W, C)."""
    return values.round().clip(0, 255).astype(np.uint8).transpose(1, 2, 0)


def _sums(values: Tensor, side: int) -> Tensor:
    """The sum over each square of the channels, (H − side + 1, W − side + 1)."""
    return functional.avg_pool2d(values.sum(0)[None, None], side, stride=1)[0, 0] * side**2


def _drawn(values: Array, picture: NDArray[np.uint8], written: bool) -> Image.Image:
    """A table of the numbers, or the picture, enlarged where it is small."""
    if written:
        return matrix_image(values[0])
    image = to_image(picture)
    return enlarged(image, whole_factor(image.size, _CELL_PX) if max(image.size) < _CELL_PX else 1)


def _framed_in(image: Image.Image, values: Array, frame: tuple[int, int, int, int] | None) -> Image.Image:
    if frame is not None:
        down, across = image.height // values.shape[1], image.width // values.shape[2]
        top, left, height, width = frame
        box = (across * left - 1, down * top - 1, across * (left + width), down * (top + height))
        ImageDraw.Draw(image).rectangle(box, outline=(213, 94, 0), width=2)
    return image


def _panel(name: str, image: Image.Image, kernel: Array | None, lines: Sequence[str]) -> Image.Image:
    below = [words(line, _FONT_PX, _GREY) for line in lines]
    numbers = [matrix_image(kernel)] if kernel is not None else []
    return above([words(name, _FONT_PX), image, *below, *numbers], 4)


def _row(panels: Sequence[Image.Image], widths: Sequence[int]) -> Image.Image:
    sheet = Image.new("RGB", (sum(widths) + _GAP_PX * (len(widths) - 1), max(one.height for one in panels)), PAPER)
    left = 0
    for panel, width in zip(panels, widths, strict=False):
        sheet.paste(panel, (left, 0))
        left += width + _GAP_PX
    return sheet
