"""Picture files to uint8 tensors, and the one place where pictures, masks and boxes change size or channels."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps
from torch import Tensor
from torch.nn.functional import interpolate

from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile
from cnnexp.inputs.folder_walk import walk
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES

Size = tuple[int, int]
"""Height, width."""

MAX_PIXELS = 100_000_000
"""A larger picture is refused: a small file can claim any size and fill the memory."""


# What Pillow raises for broken files: its own error is an OSError, the rest come out of single format plugins.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    struct.error,
    Image.DecompressionBombError,
)
_QUARTER_TURNS = range(5, 9)  # of EXIF's orientations
_PILLOW_MODE = {1: "L", 3: "RGB"}
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, which Pillow uses too


def read_picture(path: Path, image_size: Size | None, channels: int, frame: int = 0) -> tuple[Tensor, Size]:
    """Decode a file, turn it upright (EXIF), and bring it to a size and a number of channels.

    Args:
        path: any format of ``PICTURE_SUFFIXES``; 16-bit grey is cut to its upper 8 bits.
        image_size: height and width of the result (bilinear, antialiased); None keeps the file's.
        channels: 1 (grey) or 3 (RGB). frame: of a file that holds several.

    Returns:
        uint8 (channels, H, W), and the height and width in the file.

    Raises:
        InputError: the file is missing or not a whole picture; the line names it.
    """
    mode = pillow_mode(channels)
    try:
        with Image.open(path) as opened:
            _refuse_huge(path, opened.size)
            opened.seek(frame)
            size = opened.size
            if image_size is not None:
                # JPEG only: decodes at 1/2, 1/4 or 1/8 where that leaves twice the size asked for to resize from.
                opened.draft(None, (2 * image_size[1], 2 * image_size[0]))
            orientation = opened.getexif().get(ExifTags.Base.Orientation, 1)
            picture = _to_mode(opened if orientation == 1 else ImageOps.exif_transpose(opened), mode)
            picture.load()  # a picture that needed no change is not decoded yet, and its file is about to be closed
    except _DECODE_ERRORS as error:
        raise unreadable(path, error) from error
    if image_size is not None and picture.size != (image_size[1], image_size[0]):
        picture = picture.resize((image_size[1], image_size[0]), Image.Resampling.BILINEAR)
    pixels = np.array(picture, dtype=np.uint8).reshape(picture.height, picture.width, channels)
    original = (size[0], size[1]) if orientation in _QUARTER_TURNS else (size[1], size[0])
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))), original


def frames_in(path: Path) -> int:
    """How many pictures a file holds: more than 1 in a GIF that moves, say.

    Raises:
        InputError: as for ``read_picture``.
    """
    try:
        with Image.open(path) as opened:
            return int(getattr(opened, "n_frames", 1))
    except _DECODE_ERRORS as error:
        raise unreadable(path, error) from error


def read_middle(path: Path, resize_px: int, crop_px: int, channels: int, interpolation: str = "bilinear") -> Tensor:
    """Decode a file as classifiers of photographs are tested: shorter side to a size, then a square from the middle.

    Args:
        resize_px: of the shorter side. crop_px: side of the square, at most ``resize_px``.
        interpolation: bilinear or bicubic, with antialias.

    Returns:
        uint8 (channels, crop_px, crop_px).

    Raises:
        InputError: as for ``read_picture``.
    """
    pixels, (height, width) = read_picture(path, None, channels)
    shorter = min(height, width)
    size = (resize_px * width // shorter, resize_px * height // shorter)
    array = pixels.permute(1, 2, 0).squeeze(-1).numpy()
    how = Image.Resampling.BICUBIC if interpolation == "bicubic" else Image.Resampling.BILINEAR
    picture = Image.fromarray(array).resize(size, how)
    left, top = round((size[0] - crop_px) / 2), round((size[1] - crop_px) / 2)
    middle = np.array(picture.crop((left, top, left + crop_px, top + crop_px)), dtype=np.uint8)
    return torch.from_numpy(middle.reshape(crop_px, crop_px, channels)).permute(2, 0, 1).contiguous()


def read_mask(path: Path, image_size: Size | None) -> tuple[NDArray[np.uint8], Size]:
    """Decode a file of class numbers (grey or palette indices) without touching the values.

    Returns:
        uint8 (H, W), resized by nearest neighbour where ``image_size`` is given, and the height and width in the file.

    Raises:
        InputError: the file is missing, broken, or coloured.
    """
    try:
        with Image.open(path) as opened:
            _refuse_huge(path, opened.size)
            if opened.mode not in ("L", "P", "1"):
                raise InputError(
                    f"{path}: a mask holds one class number per pixel (8-bit grey or palette), not mode {opened.mode}"
                )
            size = (opened.height, opened.width)
            mask = opened.convert("L") if opened.mode == "1" else opened
            if image_size is not None and size != image_size:
                mask = mask.resize((image_size[1], image_size[0]), Image.Resampling.NEAREST)
            values = np.array(mask, dtype=np.uint8)
    except _DECODE_ERRORS as error:
        raise unreadable(path, error) from error
    return values, size


def fit_pictures(pictures: Tensor, image_size: Size, channels: int) -> Tensor:
    """uint8 (N, C, H, W) → uint8 (N, channels, *image_size): bilinear with antialias, grey and RGB by BT.601."""
    fitted = _change_channels(pictures, channels)
    if tuple(fitted.shape[-2:]) != tuple(image_size):
        fitted = interpolate(fitted, size=image_size, mode="bilinear", antialias=True, align_corners=False)
    return fitted


def fit_masks(masks: Tensor, image_size: Size) -> Tensor:
    """uint8 (N, H, W) → uint8 (N, *image_size) by nearest neighbour (pixel centres)."""
    if tuple(masks.shape[-2:]) == tuple(image_size):
        return masks
    return interpolate(masks[:, None], size=image_size, mode="nearest-exact")[:, 0]


def fit_boxes(boxes: Tensor, original: Size, image_size: Size) -> Tensor:
    """Scale x1 y1 x2 y2 (..., 4) from pixels of the original picture to pixels of the resized one."""
    scale_y, scale_x = image_size[0] / original[0], image_size[1] / original[1]
    return boxes * torch.tensor([scale_x, scale_y, scale_x, scale_y], dtype=boxes.dtype)


def find_pictures(folder: Path, *, deep: bool = False) -> list[Path]:
    """The pictures directly in a folder (``deep``: and below it), sorted by path; hidden ones are left out."""
    return [path for path in walk(folder, deep=deep).files if path.suffix.lower() in PICTURE_SUFFIXES]


def picture_size(path: Path) -> Size:
    """Height and width of the upright picture, from the file's header.

    Raises:
        InputError: as for ``read_picture``.
    """
    try:
        with Image.open(path) as opened:
            width, height = opened.size
            turned = opened.getexif().get(ExifTags.Base.Orientation, 1) in _QUARTER_TURNS
    except _DECODE_ERRORS as error:
        raise unreadable(path, error) from error
    return (width, height) if turned else (height, width)


def pillow_mode(channels: int) -> str:
    """Raises InputError unless channels is 1 or 3."""
    if channels not in _PILLOW_MODE:
        raise InputError(f"data.channels={channels}: pictures have 1 (grey) or 3 (RGB) channels")
    return _PILLOW_MODE[channels]


def unreadable(path: Path, error: Exception) -> CorruptFile:
    """The line for a file that could not be decoded."""
    if isinstance(error, FileNotFoundError):
        return CorruptFile(f"{path}: no such file")
    reason = (
        "not a picture in a format that is known" if isinstance(error, Image.UnidentifiedImageError) else str(error)
    )
    return CorruptFile(f"{path}: not a readable picture ({reason}); replace the file or remove it from the data set")


def _change_channels(pictures: Tensor, channels: int) -> Tensor:
    pillow_mode(channels)
    if pictures.shape[1] == channels:
        return pictures
    if channels == 3:
        return pictures.expand(-1, 3, -1, -1).contiguous()
    weight = torch.tensor(_LUMA).view(1, 3, 1, 1)
    return (pictures * weight).sum(1, keepdim=True).round_().to(torch.uint8)


def _to_mode(picture: Image.Image, mode: str) -> Image.Image:
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        return Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert(mode)
    if picture.mode == "F":
        raise ValueError("floating point pixels; save it as 8-bit")
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")  # Pillow warns when such a palette goes straight to RGB
    return picture if picture.mode == mode else picture.convert(mode)


def _refuse_huge(path: Path, size: Sequence[int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(f"{path}: {size[0]}×{size[1]} pixels are more than {MAX_PIXELS:,}; make it smaller")
