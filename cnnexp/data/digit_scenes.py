"""Scenes of handwritten digits: boxes and masks to learn detection and segmentation from, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.data.base import SPLITS, DataSet, SplitName, TensorSplit
from cnnexp.data.memory import fitted_split
from cnnexp.data.mnist5k import SIDE as DIGIT_SIDE
from cnnexp.data.mnist5k import digits_of
from cnnexp.draws import uniform
from cnnexp.inputs.picture_files import Size, fit_masks

COUNTS: dict[SplitName, int] = {"train": 4_000, "val": 500, "test": 500}
SCENE_SIDE = 64
MOST_DIGITS = 5
MAX_IOU = 0.15
SIDES = (17, 28)
"""Smallest and largest side, in pixels, that a digit's 28×28 frame is drawn at: scales 0.607 to 1.0."""

INK = 32
"""Fainter pixels of a resized digit are not drawn, so every pixel that is not black belongs to exactly one digit."""

# How often a digit looks for a free place before the scene goes without it.
_ATTEMPTS = 40
_SIDE_SPAN = SIDES[1] - SIDES[0] + 1
# Purposes of the draws; each keeps its own stream of numbers.
_NUMBER, _DIGIT, _SIDE, _X, _Y = range(5)


@dataclass(frozen=True)
class Scenes:
    """``N`` scenes. Boxes are x1 y1 x2 y2 in pixels, tight around a digit's own pixels, padded with class -1."""

    pictures: NDArray[np.uint8]  # (N, 64, 64)
    instances: NDArray[np.uint8]  # (N, 64, 64): 0 = background, k + 1 = the digit of box k
    boxes: NDArray[np.float32]  # (N, 5, 4)
    classes: NDArray[np.int64]  # (N, 5)
    sides: NDArray[np.int64]  # (N, 5): side in pixels that the 28×28 digit was drawn at, 0 = padding
    sources: NDArray[np.int64]  # (N, 5): the digit's row in mnist5k's file, -1 = padding


class DigitScenes(DataSet):
    """4,000 / 500 / 500 grey scenes 64×64 of one to five digits at scale 0.6 to 1.0.

    Digits of the training split of mnist5k occur in training scenes only, and so for the other splits. No two digits
    share a pixel, and their boxes overlap by an IoU of at most 0.15. Scene ``i`` is a function of (scene_seed, split,
    i) alone. The mask is 0 for background and digit + 1 elsewhere. Where the task learns instances, these
    are held in place of the mask.
    """

    targets = ("boxes", "mask", "instances")

    def __init__(self, *, image_size: Size, channels: int, scene_seed: int, target: str | None = None) -> None:
        self.target = target
        self.image_size = image_size
        self.channels = channels
        self.scene_seed = scene_seed

    def load(self, split: SplitName) -> TensorSplit:
        scenes = scenes_of(self.scene_seed, split)
        pixels = scenes.instances.astype(np.int16) if self.target == "instances" else semantic_masks(scenes)
        tensors = {
            "image": torch.from_numpy(scenes.pictures.copy())[:, None],
            "instances" if self.target == "instances" else "mask": torch.from_numpy(pixels),
            "boxes": torch.from_numpy(scenes.boxes.copy()),
            "classes": torch.from_numpy(scenes.classes.copy()),
        }
        names = [f"digit_scenes/{split}/{i}" for i in range(len(scenes.pictures))]
        return fitted_split(tensors, self.image_size, self.channels, names=names)

    def chosen(self) -> tuple[str, ...]:
        return ("instances",) if self.target == "instances" else ("boxes", "mask")

    def instance_masks(self, split: SplitName) -> Tensor:
        """uint8 (N, H, W): 0 = background, k + 1 = the digit of box k."""
        return fit_masks(torch.from_numpy(scenes_of(self.scene_seed, split).instances.copy()), self.image_size)


@lru_cache(maxsize=2 * len(SPLITS))
def scenes_of(scene_seed: int, split: SplitName, most: int = MOST_DIGITS) -> Scenes:
    """All scenes of a split, of one to ``most`` digits; not to be changed."""
    return compose(scene_seed, split, np.arange(COUNTS[split]), most)


def compose(scene_seed: int, split: SplitName, indices: NDArray[np.int64], most: int = MOST_DIGITS) -> Scenes:
    """The scenes with the given numbers; each is the same whichever others are composed with it."""
    digits, labels, rows = digits_of(split)
    count = len(indices)
    draw = _Draws(scene_seed, SPLITS.index(split), indices)
    # The canvas is wider than the scene so that a digit's 28×28 window never leaves the array.
    canvas = np.zeros((2, count, SCENE_SIDE + DIGIT_SIDE, SCENE_SIDE + DIGIT_SIDE), dtype=np.uint8)
    boxes = np.zeros((count, most, 4), dtype=np.int64)
    chosen = np.full((3, count, most), NO_CLASS, dtype=np.int64)
    wanted = 1 + draw.below(most, _NUMBER, np.arange(count))
    filled = np.zeros(count, dtype=np.int64)
    for slot in range(most):
        scenes = np.flatnonzero(wanted > slot)
        picks = draw.below(len(digits), _DIGIT, scenes, slot)
        sides = SIDES[0] + draw.below(_SIDE_SPAN, _SIDE, scenes, slot)
        patches = _draw_digits(digits[picks], sides)
        placed = _place(draw, canvas, boxes, filled, scenes, slot, patches)
        where = scenes[placed], filled[scenes[placed]]
        chosen[:, where[0], where[1]] = labels[picks[placed]], sides[placed], rows[picks[placed]]
        filled[where[0]] += 1
    pictures, instances = canvas[:, :, :SCENE_SIDE, :SCENE_SIDE].copy()
    return Scenes(pictures, instances, boxes.astype(np.float32), chosen[0], chosen[1].clip(min=0), chosen[2])


def semantic_masks(scenes: Scenes) -> NDArray[np.uint8]:
    """uint8 (N, 64, 64): 0 = background, digit + 1 elsewhere."""
    class_of = np.concatenate([np.zeros((len(scenes.classes), 1), np.int64), scenes.classes + 1], axis=1)
    flat = scenes.instances.reshape(len(scenes.instances), -1)
    return np.take_along_axis(class_of, flat, axis=1).astype(np.uint8).reshape(scenes.instances.shape)


@dataclass(frozen=True)
class _Draws:
    scene_seed: int
    split: int
    indices: NDArray[np.int64]

    def below(
        self, bound: int | NDArray[np.int64], purpose: int, scenes: NDArray[np.int64], *key: int
    ) -> NDArray[np.int64]:
        """Whole numbers in [0, bound), one for each of the given scenes (positions in ``indices``)."""
        drawn = uniform(self.scene_seed, self.split, self.indices[scenes], purpose, *key)
        return (drawn * bound).astype(np.int64)


def _draw_digits(digits: NDArray[np.uint8], sides: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Digits (n, 28, 28) resized to their sides, faint pixels cleared, ink moved to the upper left corner."""
    patches = np.zeros_like(digits)
    for patch, digit, side in zip(patches, digits, sides.tolist(), strict=True):
        # Pillow resamples in whole numbers, so the pixels are the same on every machine.
        resized = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BILINEAR))
        ink = resized >= INK
        ys, xs = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        cut = (slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1))
        patch[: ys[-1] + 1 - ys[0], : xs[-1] + 1 - xs[0]] = np.where(ink[cut], resized[cut], 0)
    return patches


def _place(
    draw: _Draws,
    canvas: NDArray[np.uint8],
    boxes: NDArray[np.int64],
    filled: NDArray[np.int64],
    scenes: NDArray[np.int64],
    slot: int,
    patches: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """Draw one more digit into each scene, where it finds a place; returns the positions (in ``scenes``) that did."""
    inked: NDArray[np.bool_] = np.greater(patches, 0)
    height, width = _extent(inked, 2), _extent(inked, 1)
    offset = np.arange(DIGIT_SIDE)
    waiting = np.arange(len(scenes))
    for attempt in range(_ATTEMPTS):
        scene = scenes[waiting]
        x = draw.below(SCENE_SIDE - width[waiting] + 1, _X, scene, slot, attempt)
        y = draw.below(SCENE_SIDE - height[waiting] + 1, _Y, scene, slot, attempt)
        box = np.stack([x, y, x + width[waiting], y + height[waiting]], axis=1)
        window = (scene[:, None, None], y[:, None, None] + offset[:, None], x[:, None, None] + offset)
        ink = inked[waiting]
        free = (_iou(box[:, None], boxes[scene]) <= MAX_IOU).all(1) & ~((canvas[1][window] > 0) & ink).any((1, 2))
        taken = tuple(np.broadcast_to(part, ink.shape)[free][ink[free]] for part in window)
        number = np.broadcast_to(filled[scene][:, None, None] + 1, ink.shape)[free][ink[free]]
        canvas[0][taken], canvas[1][taken] = patches[waiting][free][ink[free]], number
        boxes[scene[free], filled[scene[free]]] = box[free]
        waiting = waiting[~free]
        if not len(waiting):
            break
    return np.setdiff1d(np.arange(len(scenes)), waiting)


def _extent(inked: NDArray[np.bool_], across: int) -> NDArray[np.int64]:
    """Rows (or columns) up to the last one with ink: a digit drawn in two strokes has empty ones between."""
    lines = np.logical_or.reduce(inked, axis=across)
    return np.int64(DIGIT_SIDE) - lines[:, ::-1].argmax(1)


def _iou(box: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, 1, 4) against (n, k, 4) → (n, k); an empty box overlaps nothing."""
    low = np.maximum(box[..., :2], others[..., :2])
    high = np.minimum(box[..., 2:], others[..., 2:])
    common = (high - low).clip(min=0).prod(-1)
    area, other_area = ((b[..., 2:] - b[..., :2]).prod(-1) for b in (box, others))
    iou: NDArray[np.float64] = common / (area + other_area - common)
    return iou
