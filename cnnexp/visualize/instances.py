"""Objects painted over the picture, each in a colour of its own; the truth beside the prediction where it is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnexp.visualize.boxes import Marked, Rectangle, write_labels
from cnnexp.visualize.canvas import (
    beside,
    enlarged,
    framed,
    line_height,
    one_line,
    to_image,
    whole_factor,
)
from cnnexp.visualize.palette import class_colour

OPACITY = 0.45
_LEAST_SIDE_PX = 448
_MOST_LABELLED = 16
"""Of more objects the names would hide what they name: they are counted under the picture."""
_SAME = 0.5
"""IoU from which on an object has the colour of the true one."""


@dataclass(frozen=True)
class Objects:
    """Masks bool (n, H, W), the classes (n,) of the objects, and how sure a net is of each, where one said it."""

    masks: NDArray[np.bool_]
    classes: NDArray[Any]
    scores: NDArray[Any] | None = None


def instances_image(
    picture: NDArray[Any], found: Objects, names: Sequence[str], *, truth: Objects | None = None
) -> Image.Image:
    """The picture with its objects filled and outlined, enlarged by a whole factor where it is small.

    An object that is a true one has that one's colour.

    Args:
        picture: uint8, (H, W, 3) or (H, W, 1). names: of the classes.
        truth: the objects as they should be; two further pictures, at the left, show none and these.
    """
    if truth is None:
        panel, caption = _panel(picture, found, list(range(len(found.masks))), names)
        return framed(beside([panel], [caption]))
    true_panel, true_caption = _panel(picture, truth, list(range(len(truth.masks))), names)
    panel, caption = _panel(picture, found, colours_like(truth.masks, found.masks), names)
    plain = enlarged(to_image(picture), whole_factor((picture.shape[1], picture.shape[0]), _LEAST_SIDE_PX))
    captions = ["picture", f"ground truth: {true_caption}", f"prediction: {caption}"]
    return framed(beside([framed(plain, _margin(plain)), true_panel, panel], captions))


def painted(image: Image.Image, masks: NDArray[np.bool_], colours: Sequence[int], factor: int = 1) -> Image.Image:
    """The image, enlarged by a factor, with each mask (n, H, W) filled and outlined, the later ones in front."""
    pixels = np.asarray(enlarged(image, factor), np.float32).copy()
    line_px = max(1, max(pixels.shape[:2]) // 320)
    for mask, number in zip(masks, colours, strict=True):
        large = mask.repeat(factor, 0).repeat(factor, 1)
        colour = np.array(class_colour(number), np.float32)
        pixels[large] = pixels[large] * (1 - OPACITY) + colour * OPACITY
        pixels[large & ~_inner(large, line_px)] = colour
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def colours_like(true: NDArray[np.bool_], found: NDArray[np.bool_]) -> list[int]:
    """For each mask found the number of the true one that it is, each at most once; further numbers for the others."""
    pixels = found.shape[1] * found.shape[2]
    first, second = (masks.reshape(len(masks), pixels).astype(np.float32) for masks in (found, true))
    shared = first @ second.T
    iou = shared / np.maximum(first.sum(1)[:, None] + second.sum(1) - shared, 1)
    numbers, free = [-1] * len(found), set(range(len(true)))
    for place in np.argsort(-iou, axis=None, kind="stable"):
        mine, other = np.unravel_index(place, iou.shape)
        if iou[mine, other] < _SAME:
            break
        if numbers[mine] < 0 and other in free:
            numbers[mine] = int(other)
            free.discard(int(other))
    further = iter(range(len(true), len(true) + len(found)))
    return [number if number >= 0 else next(further) for number in numbers]


def _panel(
    picture: NDArray[Any], objects: Objects, colours: Sequence[int], names: Sequence[str]
) -> tuple[Image.Image, str]:
    """The picture with objects, and what there are in words."""
    image = to_image(picture)
    factor = whole_factor(image.size, _LEAST_SIDE_PX)
    order = np.arange(len(objects.masks)) if objects.scores is None else np.argsort(objects.scores, kind="stable")
    sheet = painted(image, objects.masks[order], [colours[place] for place in order], factor)
    margin, labels = _margin(sheet), [_name(int(number), names) for number in objects.classes]
    caption = ", ".join(f"{name} ×{count}" for name, count in sorted(Counter(labels).items())) or "nothing"
    sheet = framed(sheet, margin)
    if len(labels) > _MOST_LABELLED:
        return sheet, caption
    marks = []
    for place in order[::-1]:
        down, across = objects.masks[place].any(1).nonzero()[0], objects.masks[place].any(0).nonzero()[0]
        if len(down):
            edges = (across[0], down[0], across[-1] + 1, down[-1] + 1)
            rectangle = Rectangle(*(int(edge) * factor + margin for edge in edges))
            score = "" if objects.scores is None else f" {float(objects.scores[place]):.2f}"
            marks.append(Marked(rectangle, class_colour(colours[place]), labels[place] + score))
    write_labels(sheet, marks, _letters(sheet), 0)
    return sheet, caption


def _letters(image: Image.Image) -> int:
    return max(12, max(image.size) // 50)


def _margin(image: Image.Image) -> int:
    return line_height(_letters(image)) + 6


def _name(number: int, names: Sequence[str]) -> str:
    return one_line(names[number]) if number < len(names) else f"class {number}"


def _inner(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The mask less so many pixels along its edge; the picture's edge is none of it."""
    for _ in range(by):
        wider = np.pad(mask, 1, constant_values=True)
        mask = mask & wider[:-2, 1:-1] & wider[2:, 1:-1] & wider[1:-1, :-2] & wider[1:-1, 2:]
    return mask
