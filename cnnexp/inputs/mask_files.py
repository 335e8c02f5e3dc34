"""Mask files to the values of their pixels: grey values, palette indices or colours, none of them ever blended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.errors import InputError
from cnnexp.inputs.opened_files import Size, named_errors, opened_file, upright

_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I", "F")
_WHITE_16 = 257
"""White is 65535 in 16 bits and 255 in 8: this is between them."""

LYING = "the picture is turned by its EXIF and the mask is not: turn the mask, or save the picture as it is shown"


@dataclass(frozen=True)
class Palette:
    """Colours, 0xRRGGBB, whose place in the list stands for them. ``nearest``: for any other colour too."""

    colours: tuple[int, ...]
    nearest: bool = False

    def places(self, colours: NDArray[np.int32], path: Path) -> NDArray[np.uint8]:
        """The place of each colour, of the same shape.

        Raises:
            InputError: a colour is not in the list, and no other may stand for it.
        """
        different, inverse = np.unique(colours, return_inverse=True)
        squares = distances(different, np.asarray(self.colours))
        if not self.nearest and squares.min(1).any():
            other = int(different[squares.min(1).argmax()])
            allowed = ", ".join(f"#{colour:06x}" for colour in self.colours)
            raise InputError(f"{path}: holds the colour #{other:06x}, which stands for no class; allowed: {allowed}")
        return squares.argmin(1).astype(np.uint8)[inverse].reshape(colours.shape)


def alike(size: Size, other: Size) -> bool:
    """Whether one is the other made smaller or larger, up to the rounding to whole pixels."""
    (height, width), (tall, wide) = size, other
    if (height == tall) != (width == wide):
        return False  # a row more is cut, not scaled
    return abs(height * wide - width * tall) <= max(height + width, tall + wide) / 2


def distances(colours: NDArray[np.integer], others: NDArray[np.integer]) -> NDArray[np.int64]:
    """Squared distances (N, M) between colours 0xRRGGBB (N,) and (M,), summed over the channels."""
    gaps = channels_of(colours)[:, None] - channels_of(others)[None]
    return (gaps * gaps).sum(-1)


def channels_of(colours: NDArray[np.integer]) -> NDArray[np.int64]:
    """0xRRGGBB (N,) as R, G, B (N, 3)."""
    return np.stack([(colours >> shift) & 255 for shift in (16, 8, 0)], -1).astype(np.int64)


def read_mask(path: Path, image_size: Size | None, palette: Palette | None = None) -> tuple[NDArray[np.uint8], Size]:
    """Decode a mask, upright (EXIF), without touching the values.

    Args:
        image_size: height and width of the result, by nearest neighbour; None keeps the file's.
        palette: of a set of coloured masks; without, the file holds grey values or palette indices.

    Returns:
        uint8 (H, W): grey values, palette indices, or places in ``palette``; and height and width in the file.

    Raises:
        InputError: the file is missing, broken, or of other colours.
    """
    with named_errors(path), opened_file(path) as opened:
        picture = upright(opened)
        size = (picture.height, picture.width)
        if image_size is not None and size != image_size:
            picture = picture.resize((image_size[1], image_size[0]), Image.Resampling.NEAREST)
        if palette is not None:
            return palette.places(colours_in(picture, path), path), size
        values = grey_values(picture, path)
        if values is None:
            raise InputError(
                f"{path}: this mask is coloured; data.mask_values={{black: background, …}} says what each is"
            )
    return values, size


def grey_values(picture: Image.Image, path: Path) -> NDArray[np.uint8] | None:
    """Grey values or palette indices, uint8 (H, W); None for a picture in which a pixel has a colour.

    Raises:
        InputError: values above 255 that are not white, or fractions.
    """
    if picture.mode in ("L", "P"):
        return np.asarray(picture)
    if picture.mode == "1":
        return np.asarray(picture.convert("L"))
    if picture.mode in _SIXTEEN_BITS:
        return _narrowed(np.asarray(picture), path)
    channels = _opaque(picture)
    same = (channels[..., :1] == channels).all()
    return np.ascontiguousarray(channels[..., 0]) if same else None


def colours_in(picture: Image.Image, path: Path) -> NDArray[np.int32]:
    """0xRRGGBB (H, W); a palette gives the colours that it has."""
    values = None if picture.mode == "P" else grey_values(picture, path)
    if values is not None:
        return values.astype(np.int32) * 0x010101
    channels = _opaque(picture).astype(np.int32)
    return (channels[..., 0] << 16) | (channels[..., 1] << 8) | channels[..., 2]


def _opaque(picture: Image.Image) -> NDArray[np.uint8]:
    """R, G, B (H, W, 3); what is transparent is black, as outlines drawn on nothing mean it."""
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("RGB"))
    layered = picture.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", layered.size, (0, 0, 0, 255)), layered))[..., :3]


def _narrowed(values: NDArray[np.generic], path: Path) -> NDArray[np.uint8]:
    """16-bit or floating values as uint8: class numbers as they are, or multiples of 257 up to white."""
    whole = values.astype(np.int64)
    if (whole != values).any() or whole.min(initial=0) < 0:
        raise InputError(f"{path}: a mask holds whole numbers from 0 on, one per pixel; save it as 8-bit grey")
    if whole.max(initial=0) > 255:
        if (whole % _WHITE_16).any() or whole.max() > 255 * _WHITE_16:
            raise InputError(
                f"{path}: holds the value {whole.max()}; a mask has up to 255 classes, save it as 8-bit grey"
            )
        whole //= _WHITE_16
    return whole.astype(np.uint8)
