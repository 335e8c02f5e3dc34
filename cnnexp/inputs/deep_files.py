"""Files that hold more than Pillow's 8 bits and three colours: 16 bits, floating point, any number of channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.errors import InputError

_TIFF = (".tif", ".tiff")
_GREY = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
_OTHER_BYTE = {"RGB;16B": "RGB;16L", "RGB;16L": "RGB;16B", "RGB;16N": "RGB;16B"}
_OTHER_BYTE |= {f"RGBA{mode[3:]}": f"RGBA{other[3:]}" for mode, other in _OTHER_BYTE.items()}
_BITS_PER_SAMPLE = 258  # TIFF's tag


def array_in(path: Path, channels: int) -> NDArray[Any] | None:
    """The numbers of a file that Pillow does not read, (H, W, C); None for what is left to Pillow.

    Args:
        channels: wanted. Which axis of three is the channels' is told by their number, the last one first.

    Raises:
        InputError: no such array in it, or a library is missing. Others: from the libraries, for a broken file.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _channels_last(np.load(path, allow_pickle=False), channels, path)
    if suffix in _TIFF and (channels not in (1, 3) or not _pillow_reads(path)):
        return _channels_last(_by_tifffile(path), channels, path)
    return None


def deep_pixels(opened: Image.Image) -> NDArray[Any] | None:
    """The numbers of an opened file of more than 8 bits, (H, W, C), turned as the file lies; None for one of 8 bits."""
    if opened.mode in _GREY:
        return np.asarray(opened)[..., None]
    if ";16" not in str(_raw_mode(opened)):
        return None
    # Pillow keeps one of the two bytes of a number: in the other order of bytes it is the other one.
    tiles, path = opened.tile, opened.filename  # type: ignore[attr-defined]
    high = np.asarray(opened)
    with Image.open(path) as again:
        again.seek(opened.tell())
        again.tile = [tile._replace(args=_swapped(tile.args)) for tile in tiles]
        low = np.asarray(again)
    return (high.astype(np.uint16) << 8) | low


def as_bytes(numbers: NDArray[Any], span: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Numbers as 0 to 255.

    Args:
        span: the lowest and the highest number, which become 0 and 255; None takes those of the type: 65535 in 16 bits,
            1 for floating point. What has 8 bits is left as it is.
    """
    if numbers.dtype == np.uint8:
        return numbers
    if numbers.dtype == np.bool_:
        return numbers.astype(np.uint8) * np.uint8(255)
    low, high = span or (0.0, 65535.0 if np.issubdtype(numbers.dtype, np.integer) else 1.0)
    scaled = (np.nan_to_num(numbers.astype(np.float64), posinf=high, neginf=low) - low) / (high - low)
    return np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)


def turned(numbers: NDArray[Any], orientation: int) -> NDArray[Any]:
    """(H, W, C) upright, from how it lies in the file by EXIF's number."""
    if orientation in (5, 6, 7, 8):
        numbers = numbers.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        numbers = numbers[::-1]
    if orientation in (2, 3, 6, 7):
        numbers = numbers[:, ::-1]
    return numbers


def _raw_mode(opened: Image.Image) -> Any:
    tiles = getattr(opened, "tile", ())
    if not tiles:
        return ""
    arguments = tiles[0].args
    return arguments[0] if isinstance(arguments, tuple) and arguments else arguments


def _swapped(arguments: Any) -> Any:
    if isinstance(arguments, tuple):
        return (_swapped(arguments[0]), *arguments[1:])
    if arguments not in _OTHER_BYTE:
        raise ValueError(f"16-bit pixels of the kind {arguments}; save it as 16-bit RGB")
    return _OTHER_BYTE[arguments]


def _pillow_reads(path: Path) -> bool:
    """Whether Pillow can read a TIFF whole: not one with floating colours, or with its channels one after another."""
    try:
        with Image.open(path) as opened:
            bits = opened.tag_v2.get(_BITS_PER_SAMPLE, (1,))  # type: ignore[attr-defined]
            return opened.mode in _GREY or max(bits) <= 8 or _raw_mode(opened) in _OTHER_BYTE
    except (OSError, ValueError, SyntaxError, KeyError):
        return False


def _by_tifffile(path: Path) -> NDArray[Any]:
    try:
        import tifffile
    except ImportError as error:
        raise InputError(
            f"{path}: reading a TIFF with its channels one after another, or with more than three, takes tifffile: "
            "pip install 'cnnexp[tiff]'"
        ) from error
    array: NDArray[Any] = tifffile.imread(path)
    return array


def _channels_last(array: NDArray[Any], channels: int, path: Path) -> NDArray[Any]:
    if array.dtype.kind not in "biuf":
        raise InputError(f"{path}: holds {array.dtype}; a picture is an array of numbers, H×W or H×W×C")
    if array.ndim == 2:
        return array[..., None]
    possible = (channels, 1, 3) if channels in (1, 3) else (channels,)
    if array.ndim == 3 and array.shape[2] in possible:
        return array
    if array.ndim == 3 and array.shape[0] in possible:
        return array.transpose(1, 2, 0)
    shape = "×".join(map(str, array.shape))
    raise InputError(
        f"{path}: an array of {shape}; data.channels={channels} wants H×W×{channels} (or set data.channels)"
    )
