"""The geometric operations: parameters → for each sample, where an output position comes from.

Coordinates are (x, y) in pixels from the picture's centre, y downwards. Every operation answers its *inverse* map, from
the output to the source, so that a chain of operations is the product of their matrices in reading order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cnnexp.augmentation.lanes import Numbers, chosen, logarithmic, symmetric

Array = NDArray[np.float64]

_IDENTITY = np.eye(2)


class Frame(NamedTuple):
    """Height and width of the stored pictures, and of what comes out."""

    source: tuple[int, int]
    output: tuple[int, int]


class Geometry(NamedTuple):
    """``source = linear @ output + offset``; linear (B, 2, 2), offset (B, 2)."""

    linear: Array
    offset: Array

    def after(self, inner: Geometry) -> Geometry:
        """This map of what ``inner`` gives."""
        if self.linear.base is _IDENTITY:  # nothing to multiply
            return Geometry(inner.linear, inner.offset + self.offset)
        offset = (self.linear @ inner.offset[:, :, None])[:, :, 0] + self.offset
        return Geometry(self.linear @ inner.linear, offset)

    @classmethod
    def shift(cls, count: int, x: float, y: float) -> Geometry:
        """The same shift for ``count`` samples."""
        return _unmoved(np.broadcast_to(np.array([x, y]), (count, 2)))

    def inverse(self) -> Geometry:
        """From the source to the output: the way that contents move."""
        back: Array = np.linalg.inv(self.linear).astype(np.float64, copy=False)
        return Geometry(back, -(back @ self.offset[:, :, None])[:, :, 0])


@runtime_checkable
class Moving(Protocol):
    """A geometric operation."""

    lanes: ClassVar[int]
    exact: ClassVar[bool]
    """Whether it moves whole pixels and mixes none."""

    @property
    def active(self) -> bool: ...

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        """The map from output to source for numbers (B, lanes)."""
        ...


def chain(maps: Sequence[Geometry]) -> Geometry:
    """The whole way, the first operation first."""
    return reduce(Geometry.after, maps)


def extent(size: tuple[int, int]) -> Array:
    """(height, width) → [width, height]."""
    return np.array(size[::-1], dtype=np.float64)


def _matrix(a: Array, b: Array | float, c: Array | float, d: Array) -> Array:
    made = np.empty((len(a), 2, 2))
    made[:, 0, 0], made[:, 0, 1], made[:, 1, 0], made[:, 1, 1] = a, b, c, d
    return made


def _diagonal(x: Array, y: Array) -> Array:
    return _matrix(x, 0.0, 0.0, y)


def _still(count: int) -> Array:
    return np.zeros((count, 2))


def _unmoved(offset: Array) -> Geometry:
    return Geometry(np.broadcast_to(_IDENTITY, (len(offset), 2, 2)), offset)


@dataclass(frozen=True)
class Crop:
    """A crop of the output's size out of the source, padded on each side; every whole-pixel place is as likely."""

    padding: int
    lanes: ClassVar[int] = 2
    exact: ClassVar[bool] = True

    @property
    def active(self) -> bool:
        return bool(self.padding)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        margin = extent(frame.source) - extent(frame.output)
        first = np.floor(u * (margin + 2 * self.padding + 1)) - self.padding
        return _unmoved(first - margin / 2)


@dataclass(frozen=True)
class RandomResizedCrop:
    """A part of the source of random area and shape, enlarged to the output (Szegedy 2014, "Going deeper").

    As in torchvision, up to ten tries for a part that lies in the picture, then the largest central one of a shape in
    range.
    """

    probability: float
    area: tuple[float, float]
    ratio: tuple[float, float]
    lanes: ClassVar[int] = 23
    exact: ClassVar[bool] = False
    tries: ClassVar[int] = 10

    @property
    def active(self) -> bool:
        return bool(self.probability)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        left_top, size = self.part(u, frame.source)
        source, output = extent(frame.source), extent(frame.output)
        step = size / output
        return Geometry(_diagonal(step[:, 0], step[:, 1]), left_top + size / 2 - source / 2)

    def part(self, u: Numbers, source: tuple[int, int]) -> tuple[Array, Array]:
        """Left and top, width and height of each part, in whole pixels (B, 2)."""
        whole = extent(source)
        area = (self.area[0] + u[:, 1:11] * (self.area[1] - self.area[0])) * whole.prod()
        ratio = logarithmic(u[:, 11:21], self.ratio)
        tried = np.stack([np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))], -1)
        fits = np.asarray(((tried >= 1) & (tried <= whole)).all(-1))
        found = fits.any(axis=1, keepdims=True)
        size = np.where(found, tried[np.arange(len(u)), fits.argmax(1)], self._largest(whole))
        room = whole - size
        free = np.floor(u[:, 21:23] * (room + 1))
        return np.where(found, free, np.floor(room / 2)), size

    def _largest(self, whole: Array) -> Array:
        shape = np.clip(whole[0] / whole[1], *self.ratio)
        return np.rint(np.minimum(whole, [whole[1] * shape, whole[0] / shape]))


@dataclass(frozen=True)
class Mirror:
    """Left-right and upside-down flips, each with its probability."""

    horizontal: float
    vertical: float
    lanes: ClassVar[int] = 2
    exact: ClassVar[bool] = True

    @property
    def active(self) -> bool:
        return bool(self.horizontal or self.vertical)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        sign = np.where(u < (self.horizontal, self.vertical), -1.0, 1.0)
        return Geometry(_diagonal(sign[:, 0], sign[:, 1]), _still(len(u)))


@dataclass(frozen=True)
class QuarterTurn:
    """Turns by 90°, 180° or 270°, each as likely; an output that is not square is turned by 180° only."""

    probability: float
    lanes: ClassVar[int] = 2
    exact: ClassVar[bool] = True

    @property
    def active(self) -> bool:
        return bool(self.probability)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        square = frame.output[0] == frame.output[1]
        turns = 1 + (u[:, 1] * 3).astype(np.int64) if square else np.full(len(u), 2)
        turns = np.where(chosen(u, self.probability), turns, 0)
        cosine, sine = np.array([1.0, 0, -1, 0])[turns], np.array([0.0, 1, 0, -1])[turns]
        return Geometry(_matrix(cosine, -sine, sine, cosine), _still(len(u)))


@dataclass(frozen=True)
class Scale:
    """Zoom about the centre; a factor above 1 enlarges."""

    factor: tuple[float, float]
    probability: float
    lanes: ClassVar[int] = 2
    exact: ClassVar[bool] = False

    @property
    def active(self) -> bool:
        return tuple(self.factor) != (1.0, 1.0) and bool(self.probability)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        step = np.where(chosen(u, self.probability), 1 / logarithmic(u[:, 1], self.factor), 1.0)
        return Geometry(_diagonal(step, step), _still(len(u)))


@dataclass(frozen=True)
class Pad:
    """A border on each of the four sides, and the whole shrunk to the size it had."""

    fraction: float
    probability: float
    lanes: ClassVar[int] = 5
    exact: ClassVar[bool] = False

    @property
    def active(self) -> bool:
        return bool(self.fraction and self.probability)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        side = extent(frame.output)
        border = np.rint(u[:, 1:].reshape(-1, 2, 2) * self.fraction * side) * chosen(u, self.probability)[:, None, None]
        before, behind = border[:, 0], border[:, 1]
        step = (side + before + behind) / side
        return Geometry(_diagonal(step[:, 0], step[:, 1]), (behind - before) / 2)


@dataclass(frozen=True)
class Translate:
    """A shift by whole pixels, up to a part of width and height."""

    fraction: float
    probability: float
    lanes: ClassVar[int] = 3
    exact: ClassVar[bool] = True

    @property
    def active(self) -> bool:
        return bool(self.fraction and self.probability)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        moved = np.rint(symmetric(u[:, 1:]) * self.fraction * extent(frame.output))
        return _unmoved(-moved * chosen(u, self.probability)[:, None])


@dataclass(frozen=True)
class Rotate:
    """A turn about the centre, up to so many degrees either way."""

    degrees: float
    probability: float
    lanes: ClassVar[int] = 2
    exact: ClassVar[bool] = False

    @property
    def active(self) -> bool:
        return bool(self.degrees and self.probability)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        angle = symmetric(u[:, 1]) * self.degrees * chosen(u, self.probability)
        return Geometry(_slanted(angle, np.zeros_like(angle), np.zeros_like(angle)), _still(len(u)))


@dataclass(frozen=True)
class Shear:
    """Rows slide along each other, then columns; the angles are drawn apart."""

    horizontal: float
    vertical: float
    probability: float
    lanes: ClassVar[int] = 3
    exact: ClassVar[bool] = False

    @property
    def active(self) -> bool:
        return bool((self.horizontal or self.vertical) and self.probability)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        angles = symmetric(u[:, 1:]) * (self.horizontal, self.vertical) * chosen(u, self.probability)[:, None]
        return Geometry(_slanted(np.zeros(len(u)), angles[:, 0], angles[:, 1]), _still(len(u)))


@dataclass(frozen=True)
class Affine:
    """Rotation, whole-pixel shift, zoom and horizontal shear at once: torchvision's RandomAffine."""

    degrees: float
    translate: float
    scale: tuple[float, float]
    shear: float
    probability: float
    lanes: ClassVar[int] = 6
    exact: ClassVar[bool] = False

    @property
    def active(self) -> bool:
        given = self.degrees or self.translate or self.shear or tuple(self.scale) != (1.0, 1.0)
        return bool(given and self.probability)

    def inverse(self, u: Numbers, frame: Frame) -> Geometry:
        met = chosen(u, self.probability)
        angle, slant = symmetric(u[:, 1]) * self.degrees * met, symmetric(u[:, 2]) * self.shear * met
        zoom = np.where(met, self.scale[0] + u[:, 3] * (self.scale[1] - self.scale[0]), 1.0)
        moved = np.rint(symmetric(u[:, 4:]) * self.translate * extent(frame.output)) * met[:, None]
        linear = _slanted(angle, slant, np.zeros_like(slant)) / zoom[:, None, None]
        return Geometry(linear, -(linear @ moved[:, :, None])[:, :, 0])


def _slanted(angle: Array, horizontal: Array, vertical: Array) -> Array:
    """The inverse of a counter-clockwise turn after a shear, all in degrees (torchvision's ``affine`` formula)."""
    turn, along_x, along_y = np.radians(-angle), np.radians(horizontal), np.radians(vertical)
    a = np.cos(turn - along_y) / np.cos(along_y)
    b = -a * np.tan(along_x) - np.sin(turn)
    c = np.sin(turn - along_y) / np.cos(along_y)
    d = -c * np.tan(along_x) + np.cos(turn)
    return _matrix(d, -b, -c, a)
