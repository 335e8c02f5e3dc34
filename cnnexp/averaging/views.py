"""Views of a picture: what a net is shown instead of the picture, and where its answer belongs in the picture.

Every view ends at the net's input size, so a net with fully connected layers takes it as it takes any picture. What
changes size is resampled bilinearly with antialiasing, as decoding does it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor
from torch.nn import functional

from cnnexp.averaging.places import Place, Turn
from cnnexp.averaging.words import Choice
from cnnexp.errors import InputError
from cnnexp.inputs.base import Input
from cnnexp.inputs.picture_files import Size
from cnnexp.inputs.pictures import Pictures

CROP_PART = 7 / 8
"""Of the picture's height and width: 224 of 256 (Krizhevsky, Sutskever and Hinton 2012), 28 of 32."""


@dataclass(frozen=True)
class View:
    """One way of looking at pictures.

    Attributes:
        name: in words.
        see: pictures, float (B, C, H, W), and the net's input size → what the net is shown, (B, C, h, w).
        undo: maps over what was shown, (B, K, h, w), and the pictures' size → the same over the pictures, (B, K, H, W),
            0 where the view sees nothing. It is linear, and classes that add up to 1 still do where it sees.
        place: the pictures' size and the net's input size → where in the pictures the view looks.
    """

    name: str
    see: Callable[[Tensor, Size], Tensor]
    undo: Callable[[Tensor, Size], Tensor]
    place: Callable[[Size, Size], Place]


def views_of(choice: Choice, given: Input, per_pixel: bool) -> tuple[View, ...]:
    """The views that were asked for; none stands for the sample as it is.

    Args:
        given: what the net takes. per_pixel: the answers are maps, so the views together have to see every pixel.

    Raises:
        InputError: they don't, or what the net takes is no picture.
    """
    if choice.name != "none" and not isinstance(given, Pictures):
        raise InputError(f"tta={choice.name}: views are of pictures, and the net takes {given.name}; leave it out")
    if choice.name == "flip":
        return FLIP
    if choice.name == "dihedral" and isinstance(given, Pictures):
        return DIHEDRAL if _square(given.image_size) and _square(given.stored_size) else DIHEDRAL[:4]
    if choice.name == "ten_crop":
        return ten_crop(choice.crop)
    if choice.name == "multi_scale":
        if per_pixel and min(choice.scales) > 1:
            raise InputError(
                "tta.scales: all above 1 leave pixels at the edges that no view sees; give one of at most 1"
            )
        return multi_scale(choice.scales)
    return ()


def _square(size: Sequence[int]) -> bool:
    return size[0] == size[1]


def _see_whole(pictures: Tensor, size: Size, turn: Turn) -> Tensor:
    turned = pictures.transpose(-1, -2) if turn.transposed else pictures
    return turned.flip(_axes(turn))


def _undo_whole(maps: Tensor, size: Size, turn: Turn) -> Tensor:
    """Of pictures that are stored larger than the net's input, the net takes the middle."""
    sheet = maps.new_zeros(*maps.shape[:2], *size)
    centred(sheet, _size(maps)).copy_(maps)
    sheet = sheet.flip(_axes(turn))
    return sheet.transpose(-1, -2) if turn.transposed else sheet


def _place_whole(picture: Size, net: Size, turn: Turn) -> Place:
    return Place(*crop_window(picture, net, "centre"), *net, picture, turn)


def _axes(turn: Turn) -> list[int]:
    return [axis for axis, over in ((-1, turn.mirrored), (-2, turn.upside_down)) if over]


def _whole(name: str, turn: Turn) -> View:
    return View(name, partial(_see_whole, turn=turn), partial(_undo_whole, turn=turn), partial(_place_whole, turn=turn))


FLIP = (_whole("as it is", Turn()), _whole("mirrored", Turn(mirrored=True)))
DIHEDRAL = (
    *FLIP,
    _whole("upside down", Turn(upside_down=True)),
    _whole("turned by a half", Turn(upside_down=True, mirrored=True)),
    _whole("transposed", Turn(transposed=True)),
    _whole("turned by a quarter", Turn(transposed=True, mirrored=True)),
    _whole("turned by three quarters", Turn(transposed=True, upside_down=True)),
    _whole("transposed and turned by a half", Turn(transposed=True, upside_down=True, mirrored=True)),
)
"""The symmetries of a square; the first four are those of any rectangle."""


def ten_crop(part: float | None = None) -> tuple[View, ...]:
    """The four corners and the centre, and the same of the mirrored picture.

    Source: Krizhevsky, Sutskever and Hinton 2012, section 4.1; the order is that of torchvision's ``ten_crop``.

    Args:
        part: of height and width that a crop has, in [0.5, 1]. None: crops of the net's input size where the pictures
            are stored larger than that, else ``CROP_PART``.
    """
    return tuple(
        View(
            f"{place}, mirrored" if mirrored else place,
            partial(_see_crop, place=place, part=part, mirrored=mirrored),
            partial(_undo_crop, place=place, part=part, mirrored=mirrored),
            partial(_place_crop, place=place, part=part, mirrored=mirrored),
        )
        for mirrored in (False, True)
        for place in PLACES
    )


PLACES: dict[str, tuple[float, float]] = {
    "top left": (0.0, 0.0),
    "top right": (0.0, 1.0),
    "bottom left": (1.0, 0.0),
    "bottom right": (1.0, 1.0),
    "centre": (0.5, 0.5),
}
"""Where a crop lies in the room that it has, as parts from the top and the left."""


def crop_window(picture: Size, crop: Size, place: str) -> tuple[int, int]:
    """Top and left of a crop in a picture, in pixels; half a pixel is rounded to even, as torchvision does."""
    down, right = PLACES[place]
    return round((picture[0] - crop[0]) * down), round((picture[1] - crop[1]) * right)


def crop_size(picture: Size, net: Size, part: float | None) -> Size:
    """Height and width of a crop."""
    if part is None and picture[0] >= net[0] and picture[1] >= net[1] and picture != net:
        return net
    part = CROP_PART if part is None else part
    # upwards, so that crops of a half still meet; without the digits in which 0.9 x 10 is more than 9
    height, width = (math.ceil(round(part * side, 6)) for side in picture)
    return height, width


def _see_crop(pictures: Tensor, size: Size, place: str, part: float | None, mirrored: bool) -> Tensor:
    whole = _size(pictures)
    height, width = crop_size(whole, size, part)
    top, left = crop_window(whole, (height, width), place)
    shown = pictures.flip(-1) if mirrored else pictures
    return resized(shown[..., top : top + height, left : left + width], size)


def _undo_crop(maps: Tensor, size: Size, place: str, part: float | None, mirrored: bool) -> Tensor:
    height, width = crop_size(size, _size(maps), part)
    top, left = crop_window(size, (height, width), place)
    sheet = maps.new_zeros(*maps.shape[:2], *size)
    sheet[..., top : top + height, left : left + width] = resized(maps, (height, width))
    return sheet.flip(-1) if mirrored else sheet


def _place_crop(picture: Size, net: Size, place: str, part: float | None, mirrored: bool) -> Place:
    size = crop_size(picture, net, part)
    return Place(*crop_window(picture, size, place), *size, picture, Turn(mirrored=mirrored))


def multi_scale(scales: tuple[float, ...]) -> tuple[View, ...]:
    """What the net takes, magnified about its centre: above 1 the edges leave the view, below 1 more comes in.

    What comes in is the picture where that is stored larger than the net's input, and beyond it its mirror image.
    """
    return tuple(
        View(
            f"scaled by {scale:g}",
            partial(_see_scaled, scale=scale),
            partial(_undo_scaled, scale=scale),
            partial(_place_scaled, scale=scale),
        )
        for scale in scales
    )


def _window(picture: Size, net: Size, scale: float) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """For rows and for columns: the part of the picture that is seen, and how much is seen before and after it."""
    inside, beyond = [], []
    for there, taken in zip(picture, net, strict=True):
        side = max(1, round(taken / scale))
        start = (there - side) // 2
        inside.append((max(0, start), min(there, start + side)))
        beyond.append((max(0, -start), max(0, start + side - there)))
    return inside, beyond


def _see_scaled(pictures: Tensor, size: Size, scale: float) -> Tensor:
    ((top, bottom), (left, right)), (rows, columns) = _window(_size(pictures), size, scale)
    seen = functional.pad(pictures[..., top:bottom, left:right], (*columns, *rows), mode="reflect")
    return resized(seen, size)


def _undo_scaled(maps: Tensor, size: Size, scale: float) -> Tensor:
    ((top, bottom), (left, right)), (rows, columns) = _window(size, _size(maps), scale)
    seen = resized(maps, (sum(rows) + bottom - top, sum(columns) + right - left))
    sheet = maps.new_zeros(*maps.shape[:2], *size)
    sheet[..., top:bottom, left:right] = seen[
        ..., rows[0] : rows[0] + bottom - top, columns[0] : columns[0] + right - left
    ]
    return sheet


def _place_scaled(picture: Size, net: Size, scale: float) -> Place:
    inside, beyond = _window(picture, net, scale)
    (top, left) = (start - before for (start, _), (before, _) in zip(inside, beyond, strict=True))
    (height, width) = (
        end - start + before + after for (start, end), (before, after) in zip(inside, beyond, strict=True)
    )
    return Place(top, left, height, width, picture)


def centred(maps: Tensor, size: Size) -> Tensor:
    """The middle of maps (B, K, H, W), of this size: what the net takes of pictures that are stored larger."""
    top, left = crop_window(_size(maps), size, "centre")
    return maps[..., top : top + size[0], left : left + size[1]]


def resized(maps: Tensor, size: Size) -> Tensor:
    """Float maps (B, C, H, W) at another size, bilinear with antialiasing; as they are where they have it."""
    if _size(maps) == tuple(size):
        return maps
    return functional.interpolate(maps, size=size, mode="bilinear", antialias=True, align_corners=False)


def _size(maps: Tensor) -> Size:
    return maps.shape[-2], maps.shape[-1]
