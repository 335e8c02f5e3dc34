"""Picture files to uint8 tensors, and the one place where pictures, masks and boxes change size or channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageColor
from torch import Tensor
from torch.nn.functional import interpolate

from cnnexp.errors import InputError
from cnnexp.inputs.deep_files import array_in, as_bytes, deep_pixels, turned
from cnnexp.inputs.folder_walk import walk
from cnnexp.inputs.opened_files import Size, named_errors, opened_file, orientation_of, refuse_huge, upright
from cnnexp.inputs.picture_formats import PICTURE_SUFFIXES

__all__ = ["PICTURE_SUFFIXES", "Size"]

_PILLOW_MODE = {1: "L", 3: "RGB"}
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, which Pillow uses too


@dataclass(frozen=True)
class Look:
    """How the files of a set are turned into 8 bits.

    Attributes:
        span: the numbers that become 0 and 255, for files of more than 8 bits; None takes those of the type.
        background: what shows through where a picture is transparent: a colour's name or ``#rrggbb``.
    """

    span: tuple[float, float] | None = None
    background: str = "white"


PLAIN = Look()


def look_of(span: Sequence[float] | None, background: str | None) -> Look:
    """The look that ``data.range`` and ``data.background`` ask for.

    Raises:
        InputError: the range is none, or there is no such colour.
    """
    if span is not None and not span[0] < span[1]:
        raise InputError(f"data.range=[{span[0]:g},{span[1]:g}]: expected two numbers, the smaller one first")
    if background is None:
        return Look(None if span is None else (span[0], span[1]))
    try:
        ImageColor.getrgb(background)
    except ValueError as error:
        raise InputError(f'data.background={background}: no colour; a name (white, black) or "#rrggbb"') from error
    return Look(None if span is None else (span[0], span[1]), background)


def read_picture(
    path: Path, image_size: Size | None, channels: int, frame: int = 0, look: Look = PLAIN
) -> tuple[Tensor, Size]:
    """Decode a file, turn it upright (EXIF), and bring it to a size and a number of channels.

    Args:
        path: any format of ``PICTURE_SUFFIXES``.
        image_size: height and width of the result (bilinear, antialiased); None keeps the file's.
        channels: 1 (grey), 3 (RGB), or as many as the file has. frame: of a file that holds several.

    Returns:
        uint8 (channels, H, W), and the height and width of the upright picture in the file.

    Raises:
        InputError: the file is missing or not a whole picture; the line names it.
    """
    with named_errors(path):
        found, original = _upright_numbers(path, image_size, channels, frame, look.span)
        if channels in _PILLOW_MODE:
            picture = found if isinstance(found, Image.Image) else _image_of(found, path, channels)
            return pixels_of(picture, image_size, channels, look), original
        planes = _planes(np.asarray(found), path, channels)
    return _resized(planes, image_size), original


def pixels_of(picture: Image.Image, image_size: Size | None, channels: int, look: Look = PLAIN) -> Tensor:
    """A picture of Pillow's as ``read_picture`` gives one that it has decoded; grey or RGB."""
    return _resized([_to_mode(picture, _PILLOW_MODE[channels], look.background)], image_size)


def _resized(planes: list[Image.Image], image_size: Size | None) -> Tensor:
    if image_size is not None and planes[0].size != (image_size[1], image_size[0]):
        planes = [plane.resize((image_size[1], image_size[0]), Image.Resampling.BILINEAR) for plane in planes]
    height, width = planes[0].height, planes[0].width
    pixels = np.concatenate([np.asarray(plane, dtype=np.uint8).reshape(height, width, -1) for plane in planes], 2)
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def numbers_in(path: Path, channels: int) -> NDArray[Any] | None:
    """The numbers of a file of more than 8 bits, (H, W, C), as it lies; None for a file of 8 bits, not decoded.

    Raises:
        InputError: as for ``read_picture``.
    """
    with named_errors(path):
        numbers = array_in(path, channels)
        if numbers is None:
            with opened_file(path) as opened:
                numbers = deep_pixels(opened)
    return None if numbers is None or numbers.dtype in (np.uint8, np.bool_) else numbers


def frames_in(path: Path) -> int:
    """How many pictures a file holds: more than 1 in a GIF that moves, say.

    Raises:
        InputError: as for ``read_picture``.
    """
    if path.suffix.lower() == ".npy":
        return 1
    with named_errors(path), opened_file(path) as opened:
        return int(getattr(opened, "n_frames", 1))


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
    return middle_of(read_picture(path, None, channels)[0], resize_px, crop_px, interpolation)


def middle_of(pixels: Tensor, resize_px: int, crop_px: int, interpolation: str = "bilinear") -> Tensor:
    """The same of a picture that is decoded already, uint8 (channels, H, W)."""
    channels, height, width = pixels.shape
    shorter = min(height, width)
    size = (resize_px * width // shorter, resize_px * height // shorter)
    array = pixels.permute(1, 2, 0).squeeze(-1).numpy()
    how = Image.Resampling.BICUBIC if interpolation == "bicubic" else Image.Resampling.BILINEAR
    picture = Image.fromarray(array).resize(size, how)
    left, top = round((size[0] - crop_px) / 2), round((size[1] - crop_px) / 2)
    middle = np.array(picture.crop((left, top, left + crop_px, top + crop_px)), dtype=np.uint8)
    return torch.from_numpy(middle.reshape(crop_px, crop_px, channels)).permute(2, 0, 1).contiguous()


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


def pillow_mode(channels: int) -> str:
    """Raises InputError unless channels is 1 or 3."""
    if channels not in _PILLOW_MODE:
        raise InputError(f"data.channels={channels}: pictures have 1 (grey) or 3 (RGB) channels")
    return _PILLOW_MODE[channels]


def _change_channels(pictures: Tensor, channels: int) -> Tensor:
    pillow_mode(channels)
    if pictures.shape[1] == channels:
        return pictures
    if channels == 3:
        return pictures.expand(-1, 3, -1, -1).contiguous()
    weight = torch.tensor(_LUMA).view(1, 3, 1, 1)
    return (pictures * weight).sum(1, keepdim=True).round_().to(torch.uint8)


def _upright_numbers(
    path: Path, image_size: Size | None, channels: int, frame: int, span: tuple[float, float] | None
) -> tuple[Image.Image | NDArray[np.uint8], Size]:
    """A picture of Pillow's, or uint8 (H, W, C), upright; and its height and width, which a JPEG may be short of."""
    numbers = array_in(path, channels)
    if numbers is not None:
        height, width = numbers.shape[:2]
        refuse_huge(path, (width, height))
        return as_bytes(numbers, span), (height, width)
    with opened_file(path) as opened:
        opened.seek(frame)
        numbers = deep_pixels(opened)
        if numbers is not None:
            upright_ones = turned(numbers, orientation_of(opened))
            return as_bytes(upright_ones, span), (upright_ones.shape[0], upright_ones.shape[1])
        size = opened.size
        if image_size is not None:
            # JPEG only: decodes at 1/2, 1/4 or 1/8 where that leaves twice the size asked for to resize from.
            height, width = image_size if orientation_of(opened) < 5 else image_size[::-1]
            opened.draft(None, (2 * width, 2 * height))
        picture = upright(opened)
        sideways = orientation_of(opened) >= 5
    return picture, ((size[0], size[1]) if sideways else (size[1], size[0]))


def _image_of(pixels: NDArray[np.uint8], path: Path, channels: int) -> Image.Image:
    count = pixels.shape[2]
    if count > 4:
        raise InputError(f"{path}: holds {count} channels; set data.channels={count}, not {channels}")
    return Image.fromarray(pixels[..., 0] if count == 1 else np.ascontiguousarray(pixels))


def _planes(pixels: NDArray[np.uint8], path: Path, channels: int) -> list[Image.Image]:
    """A grey picture for each channel."""
    count = 1 if pixels.ndim == 2 else pixels.shape[2]
    if count != channels:
        raise InputError(f"{path}: holds {count} channel{'s' if count > 1 else ''}, and data.channels={channels}")
    return [Image.fromarray(np.ascontiguousarray(pixels[..., place])) for place in range(channels)]


def _to_mode(picture: Image.Image, mode: str, background: str) -> Image.Image:
    if picture.has_transparency_data:
        layered = (picture.convert("LA") if picture.mode == "La" else picture).convert("RGBA")
        below = Image.new("RGBA", layered.size, (*ImageColor.getrgb(background)[:3], 255))
        picture = Image.alpha_composite(below, layered)
    return picture if picture.mode == mode else picture.convert(mode)
