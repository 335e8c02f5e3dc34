"""Whole-pixel crops, mirrors and quarter turns: pixels are moved and never mixed, on the stored uint8 values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.geometry import Frame, Geometry


class Windows(NamedTuple):
    """Where crops lie in pictures that have a border already.

    Attributes:
        image: uint8 (B, C, H, W). top, left: int64 (B,), of each crop. size: its height and width.
    """

    image: NDArray[np.uint8]
    top: NDArray[np.int64]
    left: NDArray[np.int64]
    size: tuple[int, int]


class Border:
    """Memory for pictures with a border of one value, kept for the next batch: the border is drawn once."""

    def __init__(self, fill: int) -> None:
        self.fill = fill
        self._kept = np.empty((0, 0, 0, 0), np.uint8)

    def around(self, image: NDArray[np.uint8], geometry: Geometry, reach: tuple[int, int]) -> NDArray[np.uint8]:
        """Pictures (B, C, H, W), mirrored as their geometry says, with ``reach`` more pixels above and below, left and
        right; valid until the next call."""
        (down, across), (*some, height, width) = reach, image.shape
        shape = (*some, height + 2 * down, width + 2 * across)
        if self._kept.shape != shape:
            self._kept = np.full(shape, self.fill, np.uint8)
        inner = self._kept[:, :, down : down + height, across : across + width]
        _rows(inner)[:] = _rows(image)
        mirrored = np.flatnonzero(geometry.linear[:, 0, 0] < 0)
        if len(mirrored):
            _rows(inner)[mirrored] = _rows(_reversed_rows(image[mirrored]))
        upside_down = np.flatnonzero(geometry.linear[:, 1, 1] < 0)
        if len(upside_down):
            _rows(inner)[upside_down] = _rows(inner)[upside_down, :, ::-1]
        return self._kept


def move(image: Tensor, geometry: Geometry, frame: Frame, reach: tuple[int, int], border: Border) -> Tensor:
    """uint8 pictures (B, C, H, W) moved by a geometry that is a signed permutation and a whole-pixel offset.

    Args:
        reach: how many pixels, down and across, a crop may reach beyond the picture at most.
        border: the memory to work in; its value is what comes in from outside.

    Returns:
        uint8 (B, C, H, W) of the output's size.
    """
    if copies_rows(image, geometry):
        return torch.from_numpy(cut(windows(image, geometry, frame, reach, border)))
    source, valid = source_pixels(geometry, frame, image.device)
    picked = image.flatten(2).gather(2, source[:, None].expand(-1, image.shape[1], -1))
    return picked.masked_fill_(~valid[:, None], border.fill).view(*image.shape[:2], *frame.output)


def copies_rows(image: Tensor, geometry: Geometry) -> bool:
    """Whether whole rows can be copied: on the processor, where nothing is turned."""
    return image.device.type == "cpu" and not geometry.linear[:, 0, 1].any()


def windows(image: Tensor, geometry: Geometry, frame: Frame, reach: tuple[int, int], border: Border) -> Windows:
    """The crops of a geometry without turns; arguments as for ``move``."""
    room = np.array([frame.source[1] - frame.output[1], frame.source[0] - frame.output[0]])
    first = np.rint(geometry.offset + room / 2)
    # in a mirrored picture the same crop begins as far from the other side
    first = np.where(np.diagonal(geometry.linear, axis1=1, axis2=2) < 0, room - first, first).astype(np.int64)
    # a crop that lies farther away is as black
    beyond = np.minimum(reach, frame.output)[::-1]
    first = first.clip(-beyond, room + beyond) + beyond
    pictures = border.around(np.ascontiguousarray(image.numpy()), geometry, (int(beyond[1]), int(beyond[0])))
    return Windows(pictures, first[:, 1].copy(), first[:, 0].copy(), frame.output)


def cut(crops: Windows) -> NDArray[np.uint8]:
    """The crops copied out, uint8 (B, C, H, W)."""
    image, (rows, columns) = crops.image, crops.size
    places = (image.shape[2] - rows + 1, image.shape[3] - columns + 1)
    strides = (image.strides[0], *image.strides[2:], *image.strides[1:])
    # every possible window as a view: one indexing copies the chosen ones, row by row
    every = _rows(as_strided(image, (len(image), *places, image.shape[1], rows, columns), strides))
    chosen = every[np.arange(len(image)), crops.top, crops.left]
    return np.asarray(chosen[..., None].view(np.uint8))


def cut_on_the_way(image: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """The same as an expression of tensors, for a compiler: a row of each crop is a contiguous piece of memory."""
    batch, channel = torch.arange(image.shape[0])[:, None, None], torch.arange(image.shape[1])[:, None]
    row = top[:, None, None] + torch.arange(size[0])
    return image.unfold(3, size[1], 1)[batch, channel, row, left[:, None, None]]


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


def _rows(image: NDArray[np.uint8]) -> NDArray[np.void]:
    """The same memory with each row as one value, which is copied at once."""
    return image.view(f"V{image.shape[-1]}")[..., 0]


def _reversed_rows(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if image.shape[3] % 8:
        return np.ascontiguousarray(image[..., ::-1])
    # eight pixels at a time: the words of a row in reverse, and the bytes of each word
    return image.view(np.uint64)[..., ::-1].byteswap().view(np.uint8)
