"""A volume as a picture: slices and a projection along each of its axes, and masks in the same places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import INK, PAPER, above, beside, enlarged, font, framed, to_image, whole_factor
from cnnexp.visualize.masks import VOID_LABEL, legend, mask_colour

PLACES = (0.25, 0.5, 0.75)
"""Where a slice is taken, as parts of the way through the volume."""
_GAP_PX = 3
_PAPER = 255
_MOST_STRETCHED = 8.0
_LEAST_SIDE_PX = 380
_OPACITY = 0.35
_TRUTH = (255, 255, 255)
Spacing = tuple[float, float, float]


def volume_picture(volume: NDArray[np.uint8], spacing: Spacing) -> NDArray[np.uint8]:
    """uint8 (H', W', 1 or 3) of a volume (C, D, H, W): a row for each axis, of three slices across it and the largest
    value along it. Of other numbers of channels than one and three the first is drawn.

    Args:
        spacing: millimetres between voxels along depth, height and width, for the scale; zeros stand for 1 each.
    """
    shown = volume if len(volume) in (1, 3) else volume[:1]
    channels = [laid_out(one, spacing, lambda values, axis: values.max(axis), _PAPER) for one in shown]
    return np.stack(channels, -1)


def laid_out(
    values: NDArray[np.uint8],
    spacing: Spacing,
    projection: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]],
    gap: int,
) -> NDArray[np.uint8]:
    """Values (D, H, W) in the places of ``volume_picture``.

    Args:
        projection: what is seen along an axis. gap: the value between the panels.
    """
    rows = []
    for axis in range(3):
        length = values.shape[axis]
        panels = [np.take(values, min(int(part * length), length - 1), axis) for part in PLACES]
        panels.append(projection(values, axis))
        heights = [one for one in range(3) if one != axis]
        size = _size(values.shape, spacing, heights)
        if axis:  # the last slice lies on top, as the head does
            panels = [panel[::-1] for panel in panels]
        rows.append(_joined([_resized(panel, size) for panel in panels], 1, gap))
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1])), constant_values=gap) for row in rows]
    return _joined(padded, 0, gap)


def seen_through(background: int | None) -> Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]:
    """What is seen of a mask along an axis: the first class on the way that is not the background."""

    def seen(mask: NDArray[np.uint8], axis: int) -> NDArray[np.uint8]:
        there = mask != (0 if background is None else background)
        first = np.expand_dims(there.argmax(axis), axis)
        return np.take_along_axis(mask, first, axis).squeeze(axis)

    return seen


def volumes_image(
    picture: NDArray[Any],
    mask: NDArray[np.uint8],
    names: Sequence[str],
    *,
    truth: NDArray[np.uint8] | None = None,
    background: int | None = None,
) -> Image.Image:
    """The volume, the truth over it where it is known, and the prediction over it with the truth's outline in white.

    Args:
        picture: as ``volume_picture`` makes it. mask, truth: as ``laid_out`` makes them. background: is not coloured.

    Raises:
        ValueError: a mask is of another size than the picture.
    """
    image = to_image(picture)
    for one in (mask, truth):
        if one is not None and one.shape != (image.height, image.width):
            raise ValueError(f"the mask is {one.shape}, the picture {(image.height, image.width)}; they must be alike")
    factor = whole_factor(image.size, _LEAST_SIDE_PX)
    large = enlarged(image, factor)
    masks = {"ground truth": truth, "prediction": mask}
    drawn = {name: _over(large, one, factor, background) for name, one in masks.items() if one is not None}
    if truth is not None:
        _outline(drawn["prediction"], truth, factor, None, background)
    panels = beside([large, *drawn.values()], ["volume", *_captions(drawn, truth is not None)])
    present = sorted(
        {int(label) for one in masks.values() if one is not None for label in np.unique(one)} - {background}
    )
    parts = [panels, legend(present, names, panels.width)] if present else [panels]
    return framed(above([*parts, _explained(panels.width)]))


def _captions(drawn: dict[str, Image.Image], compared: bool) -> list[str]:
    return [f"{name}, outline of the truth in white" if compared and name == "prediction" else name for name in drawn]


def _explained(width: int) -> Image.Image:
    text = "rows: across depth, height, width; columns: slices at 1/4, 1/2, 3/4 of the way, and all seen along the axis"
    sheet = Image.new("RGB", (max(width, 1), 16), PAPER)
    ImageDraw.Draw(sheet).text((0, 0), text, fill=INK, font=font(11))
    return sheet


def _over(image: Image.Image, mask: NDArray[np.uint8], factor: int, background: int | None) -> Image.Image:
    """Classes filled thinly and outlined in full."""
    colours = np.array([mask_colour(label) for label in range(256)], np.float32)
    weights = np.full((256, 1), _OPACITY, np.float32)
    if background is not None:
        weights[background] = 0
    labels = mask.repeat(factor, 0).repeat(factor, 1)
    mixed = np.asarray(image, np.float32) * (1 - weights[labels]) + colours[labels] * weights[labels]
    made = Image.fromarray(np.rint(mixed).astype(np.uint8))
    _outline(made, mask, factor, colours, background)
    return made


def _outline(
    image: Image.Image, mask: NDArray[np.uint8], factor: int, colours: NDArray[Any] | None, background: int | None
) -> None:
    """Draw the edges of the classes into an image, in their colours or in white."""
    labels = mask.repeat(factor, 0).repeat(factor, 1)
    padded = np.pad(labels, 1, mode="edge")
    inner = padded[1:-1, 1:-1]
    beside_it = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    edge = np.logical_or.reduce([other != inner for other in beside_it])
    edge &= (labels != background) & (labels != VOID_LABEL)
    pixels = np.array(image)
    pixels[edge] = _TRUTH if colours is None else colours[labels[edge]]
    image.paste(Image.fromarray(pixels))


def _size(shape: Sequence[int], spacing: Spacing, axes: Sequence[int]) -> tuple[int, int]:
    """Height and width of a panel, to scale where the spacing is known."""
    if not all(spacing):
        return shape[axes[0]], shape[axes[1]]
    least = min(spacing)
    first, second = (round(shape[axis] * min(spacing[axis] / least, _MOST_STRETCHED)) for axis in axes)
    return max(1, first), max(1, second)


def _resized(panel: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    rows, columns = ((np.arange(to) * of) // to for to, of in zip(size, panel.shape, strict=True))
    return panel[rows][:, columns]


def _joined(parts: Sequence[NDArray[np.uint8]], axis: int, gap: int) -> NDArray[np.uint8]:
    shape = list(parts[0].shape)
    shape[axis] = _GAP_PX
    between = np.full(shape, gap, np.uint8)
    joined = [parts[0]]
    for part in parts[1:]:
        joined += [between, part]
    return np.concatenate(joined, axis)
