"""Whole-pixel crops, mirrors and quarter turns: pixels are moved and never mixed, on the stored uint8 values."""

from __future__ import annotations

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.geometry import Frame, Geometry


class Padded:
    """Pictures with a border of one value, in memory that is kept for the next batch: the border is drawn once."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[int, ...], NDArray[np.uint8]] | None = None

    def around(self, image: NDArray[np.uint8], border: tuple[int, int, int, int], fill: int) -> NDArray[np.uint8]:
        """Pictures (B, C, H, W) with so many pixels above, below, left and right; valid until the next call."""
        above, below, before, behind = border
        count, channels, height, width = image.shape
        key = (*image.shape, *border, fill)
        if self._kept is None or self._kept[0] != key:
            shape = (count, channels, above + height + below, before + width + behind)
            self._kept = (key, np.full(shape, fill, np.uint8))
        padded = self._kept[1]
        inner = _rows(padded[:, :, above : above + height, before : before + width])
        inner[:] = _rows(image)
        return padded


def move(image: Tensor, geometry: Geometry, frame: Frame, fill: int, padded: Padded) -> Tensor:
    """uint8 pictures (B, C, H, W) moved by a geometry that is a signed permutation and a whole-pixel offset.

    Args:
        fill: the value of what comes in from outside. padded: memory to work in.

    Returns:
        uint8 (B, C, H, W) of the output's size.
    """
    if image.device.type == "cpu" and not geometry.linear[:, 0, 1].any():
        return torch.from_numpy(_window(np.ascontiguousarray(image.numpy()), geometry, frame, fill, padded))
    source, valid = source_pixels(geometry, frame, image.device)
    picked = image.flatten(2).gather(2, source[:, None].expand(-1, image.shape[1], -1))
    return picked.masked_fill_(~valid[:, None], fill).view(*image.shape[:2], *frame.output)


def source_pixels(geometry: Geometry, frame: Frame, device: torch.device) -> tuple[Tensor, Tensor]:
    """For every output pixel its source as a flat position (B, H*W), and whether that lies in the picture.

    Twice the centred coordinates are whole numbers for even and odd sizes alike, so all of it is exact.
    """
    (height, width), (rows, columns) = frame
    x2 = 2 * torch.arange(columns, device=device) - (columns - 1)
    y2 = 2 * torch.arange(rows, device=device) - (rows - 1)
    linear = torch.from_numpy(np.rint(geometry.linear).astype(np.int64)).to(device)
    doubled = torch.from_numpy(np.rint(2 * geometry.offset).astype(np.int64)).to(device)
    (a, b), (c, d) = (row.unbind(-1) for row in linear.unbind(1))
    x_offset, y_offset = doubled.unbind(-1)

    def source(along_x: Tensor, along_y: Tensor, offset: Tensor, size: int) -> Tensor:
        twice = along_x[:, None, None] * x2 + along_y[:, None, None] * y2[:, None] + offset[:, None, None]
        return (twice + (size - 1)).div(2, rounding_mode="floor")

    column, row = source(a, b, x_offset, width), source(c, d, y_offset, height)
    valid = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    position = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
    return position.flatten(1), valid.flatten(1)


def _window(image: NDArray[np.uint8], geometry: Geometry, frame: Frame, fill: int, padded: Padded) -> NDArray[np.uint8]:
    """Crops and mirrors without a turn: whole rows are copied, then those of mirrored pictures reversed."""
    (height, width), (rows, columns) = frame
    margin = (width - columns, height - rows)
    left, top = np.rint(geometry.offset.T + np.array(margin)[:, None] / 2).astype(np.int64)
    left, top = left.clip(-columns, width), top.clip(-rows, height)  # farther away is as black
    if left.any() or top.any() or any(margin):
        moved = _cut(image, top, left, frame, fill, padded)
    else:
        moved = image.copy(order="C")
    mirrored = np.flatnonzero(geometry.linear[:, 0, 0] < 0)
    if len(mirrored):
        moved[mirrored] = _reversed_rows(moved[mirrored])
    upside_down = np.flatnonzero(geometry.linear[:, 1, 1] < 0)
    if len(upside_down):
        moved[upside_down] = moved[upside_down][:, :, ::-1]
    return moved


def _cut(
    image: NDArray[np.uint8],
    top: NDArray[np.int64],
    left: NDArray[np.int64],
    frame: Frame,
    fill: int,
    padded: Padded,
) -> NDArray[np.uint8]:
    (height, width), (rows, columns) = frame
    above, before = max(0, -int(top.min())), max(0, -int(left.min()))
    below, behind = max(0, int(top.max()) + rows - height), max(0, int(left.max()) + columns - width)
    if above or before or below or behind:
        image = padded.around(image, (above, below, before, behind), fill)
    places = (image.shape[2] - rows + 1, image.shape[3] - columns + 1)
    strides = (image.strides[0], *image.strides[2:], *image.strides[1:])
    # every possible window as a view: one indexing copies the chosen ones, row by row
    windows = _rows(as_strided(image, (len(image), *places, image.shape[1], rows, columns), strides))
    cut = windows[np.arange(len(image)), top + above, left + before]
    return np.asarray(cut[..., None].view(np.uint8))


def _rows(image: NDArray[np.uint8]) -> NDArray[np.void]:
    """The same memory with each row as one value, which is copied at once."""
    return image.view(f"V{image.shape[-1]}")[..., 0]


def _reversed_rows(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.shape[3] % 8:
        return image[..., ::-1]
    # eight pixels at a time: the words of a row in reverse, and the bytes of each word
    return image.view(np.uint64)[..., ::-1].byteswap().view(np.uint8)
