"""Boxes with their classes and scores, drawn on the picture; the truth beside the prediction where it is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnnexp.visualize.canvas import (
    beside,
    enlarged,
    font,
    framed,
    line_height,
    one_line,
    text_width,
    to_image,
    whole_factor,
)
from cnnexp.visualize.palette import Colour, class_colour, ink_on

_LEAST_SIDE_PX = 448
_LABEL_PADDING_PX = 2
# A label that hides another label is worse than one that hides a part of some object.
_LABEL_WEIGHT = 4.0


class Rectangle(NamedTuple):
    """Pixels of the sheet; right and bottom do not belong to it."""

    left: int
    top: int
    right: int
    bottom: int

    def shared_area(self, other: Rectangle) -> int:
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, width) * max(0, height)

    def grown(self, by: int) -> Rectangle:
        return Rectangle(self.left - by, self.top - by, self.right + by, self.bottom + by)


class Marked(NamedTuple):
    """An object of the sheet with what is written beside it."""

    rectangle: Rectangle
    colour: Colour
    label: str


def boxes_image(
    picture: NDArray[Any],
    boxes: NDArray[Any],
    classes: NDArray[Any],
    names: Sequence[str],
    *,
    scores: NDArray[Any] | None = None,
    truth: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> Image.Image:
    """The picture with its boxes, enlarged by a whole factor where it is small.

    Args:
        picture: uint8, (H, W, 3) or (H, W, 1).
        boxes: (n, 4), x1 y1 x2 y2 in pixels of the picture.
        classes: (n,) positions in `names`; -1 is padding and is not drawn.
        names: of the classes.
        scores: (n,), 0 to 1, written behind the names.
        truth: boxes and classes as they should be; a second picture shows them, at the left.
    """
    prediction = _marked_image(picture, boxes, classes, names, scores)
    if truth is None:
        return prediction
    true_image = _marked_image(picture, truth[0], truth[1], names, None)
    return framed(beside([true_image, prediction], ["ground truth", "prediction"]))


def _marked_image(
    picture: NDArray[Any],
    boxes: NDArray[Any],
    classes: NDArray[Any],
    names: Sequence[str],
    scores: NDArray[Any] | None,
) -> Image.Image:
    image = to_image(picture)
    factor = whole_factor(image.size, _LEAST_SIDE_PX)
    image = enlarged(image, factor)
    margin = line_height(_font_px(image)) + 2 * _LABEL_PADDING_PX + 2
    return _marked(image, framed(image, margin), margin, factor, boxes, classes, names, scores)


def _font_px(image: Image.Image) -> int:
    return max(12, max(image.size) // 50)


def boxes_on(
    picture: NDArray[Any], boxes: NDArray[Any], classes: NDArray[Any], names: Sequence[str], scores: NDArray[Any] | None
) -> Image.Image:
    """As ``boxes_image``, but at the picture's own size and without a margin: for frames of a film."""
    image = to_image(picture)
    return _marked(image, image.copy(), 0, 1, boxes, classes, names, scores)


def _marked(
    image: Image.Image,
    sheet: Image.Image,
    margin: int,
    factor: int,
    boxes: NDArray[Any],
    classes: NDArray[Any],
    names: Sequence[str],
    scores: NDArray[Any] | None,
) -> Image.Image:
    """Draw on the sheet, which holds the image, enlarged by the factor, within a margin."""
    size_px = _font_px(image)
    marks = _marks(np.asarray(boxes, float).reshape(-1, 4), classes, names, scores, factor, image.size, margin)
    line_px = max(2, max(image.size) // 320)
    pen = ImageDraw.Draw(sheet)
    for mark in marks:
        _outline(pen, mark, line_px)
    write_labels(sheet, marks, size_px, line_px)
    return sheet


def write_labels(sheet: Image.Image, marks: Sequence[Marked], size_px: int, line_px: int) -> None:
    """The labels of all objects, each where it hides least; those of the first ones get the best places.

    Args:
        size_px: of the letters. line_px: of the line that may be around an object.
    """
    pen = ImageDraw.Draw(sheet)
    objects = [mark.rectangle for mark in marks]
    labels: list[Rectangle] = []
    for mark in marks:
        place = _label_place(mark, objects, labels, sheet.size, size_px, line_px)
        labels.append(place)
        pen.rectangle((place.left, place.top, place.right - 1, place.bottom - 1), fill=mark.colour)
        corner = (place.left + _LABEL_PADDING_PX, place.top + _LABEL_PADDING_PX)
        pen.text(corner, mark.label, fill=ink_on(mark.colour), font=font(size_px))


def _marks(
    boxes: NDArray[Any],
    classes: NDArray[Any],
    names: Sequence[str],
    scores: NDArray[Any] | None,
    factor: int,
    size: tuple[int, int],
    margin: int,
) -> list[Marked]:
    """The boxes in pixels of the sheet, the surest first: it gets the best place for its label."""
    order = range(len(boxes)) if scores is None else np.argsort(-np.asarray(scores, float), kind="stable")
    marks = []
    for place in order:
        index = int(classes[place])
        if index < 0 or not np.isfinite(boxes[place]).all():
            continue
        left, top, right, bottom = np.rint(boxes[place] * factor).astype(int)
        left, right = (int(np.clip(x, 0, size[0])) for x in (left, right))
        top, bottom = (int(np.clip(y, 0, size[1])) for y in (top, bottom))
        if right <= left or bottom <= top:
            continue
        rectangle = Rectangle(left + margin, top + margin, right + margin, bottom + margin)
        name = one_line(names[index]) if index < len(names) else f"class {index}"
        label = name if scores is None else f"{name} {float(scores[place]):.2f}"
        marks.append(Marked(rectangle, class_colour(index), label))
    return marks


def _outline(pen: ImageDraw.ImageDraw, mark: Marked, line_px: int) -> None:
    """A frame around the object, not on it, with a hair line that keeps it visible on a ground of its own colour."""
    outer = mark.rectangle.grown(line_px)
    hair = outer.grown(1)
    pen.rectangle((hair.left, hair.top, hair.right - 1, hair.bottom - 1), outline=ink_on(mark.colour))
    pen.rectangle((outer.left, outer.top, outer.right - 1, outer.bottom - 1), outline=mark.colour, width=line_px)


def _label_place(
    mark: Marked,
    objects: Sequence[Rectangle],
    labels: Sequence[Rectangle],
    sheet: tuple[int, int],
    size_px: int,
    line_px: int,
) -> Rectangle:
    """Where the label hides least: above, below or beside its box, and inside only if all else is worse."""
    width = text_width(mark.label, size_px) + 2 * _LABEL_PADDING_PX
    height = line_height(size_px) + 2 * _LABEL_PADDING_PX
    box = mark.rectangle.grown(line_px)
    corners = [
        (box.left, box.top - height),
        (box.right - width, box.top - height),
        (box.left, box.bottom),
        (box.right - width, box.bottom),
        (box.right, box.top),
        (box.left - width, box.top),
        (box.left, box.top),
    ]
    best, least = Rectangle(0, 0, width, height), math.inf
    for left, top in corners:
        left = max(0, min(left, sheet[0] - width))
        top = max(0, min(top, sheet[1] - height))
        place = Rectangle(left, top, left + width, top + height)
        over_objects = sum(place.shared_area(other) for other in objects)
        hidden = over_objects + _LABEL_WEIGHT * sum(place.shared_area(other) for other in labels)
        if hidden < least:
            best, least = place, hidden
    return best
