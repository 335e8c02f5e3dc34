"""The colour operations: parameters → one matrix for each sample, and the one pass that applies it.

Pixels are in [0, 1] here. A colour is ``linear @ x + by_mean @ mean + shift``, where ``mean`` is the picture's mean of
each channel after the geometry: contrast turns about it, and it is known on the device only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.lanes import Numbers, chosen, normal, symmetric

Array = NDArray[np.float64]

MOST_CHANNELS = 4
"""So many channels have numbers of their own in a colour shift."""

GREY = np.array([0.2989, 0.587, 0.114])
"""Weights of red, green and blue in grey (ITU-R BT.601, as torchvision rounds them)."""

IMAGENET_VALUES = np.array([0.2175, 0.0188, 0.0045])
IMAGENET_AXES = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
"""Eigenvalues and, in columns, eigenvectors of ImageNet's colours in [0, 1], as published for AlexNet."""


class Colour(NamedTuple):
    """linear (B, C, C), by_mean (B, C, C), shift (B, C)."""

    linear: Array
    by_mean: Array
    shift: Array

    def then(self, linear: Array, shift: Array | float = 0.0) -> Colour:
        """Followed by ``linear @ x + shift``; linear (B, C, C)."""
        moved = (linear @ self.shift[:, :, None])[:, :, 0] + shift
        return Colour(linear @ self.linear, linear @ self.by_mean, moved)


@runtime_checkable
class Colouring(Protocol):
    """A colour operation."""

    lanes: ClassVar[int]

    @property
    def active(self) -> bool: ...

    def on(self, colour: Colour, u: Numbers) -> Colour:
        """The colour with this operation after it, for numbers (B, lanes)."""
        ...


def unchanged(count: int, channels: int) -> Colour:
    """The colour of pictures as they are."""
    linear = np.broadcast_to(np.eye(channels), (count, channels, channels))
    return Colour(linear, np.zeros_like(linear), np.zeros((count, channels)))


class OnDevice(NamedTuple):
    """A colour as tensors beside the pictures: linear (B, C, C), by_mean (B, C, C) or None, shift (B, C)."""

    linear: Tensor
    by_mean: Tensor | None
    shift: Tensor


def on_device(colour: Colour, like: Tensor) -> OnDevice:
    """For pictures with values from 0 to 255 of this dtype, on this device."""
    linear, by_mean, shift = (torch.from_numpy(np.ascontiguousarray(part)).to(like) for part in colour)
    return OnDevice(linear, by_mean if colour.by_mean.any() else None, shift * 255)


def shift_of(colour: OnDevice, image: Tensor) -> Tensor:
    """What is added to each channel of each picture, (B, C)."""
    if colour.by_mean is None:
        return colour.shift
    return colour.shift + (colour.by_mean @ image.mean((2, 3))[:, :, None])[:, :, 0]


def apply(colour: OnDevice, image: Tensor) -> Tensor:
    """Pictures (B, C, H, W) with values from 0 to 255 → the same in new colours, cut to 0 to 255 once."""
    flat = torch.baddbmm(shift_of(colour, image)[:, :, None], colour.linear, image.flatten(2))
    return flat.clamp_(0, 255).view(image.shape)


def apply_by_channel(colour: OnDevice, image: Tensor) -> Tensor:
    """The same as sums over channels, which a compiler turns into one pass."""
    total = shift_of(colour, image)[:, :, None, None]
    for channel in range(image.shape[1]):
        total = total + colour.linear[:, :, channel, None, None] * image[:, channel, None]
    return total.clamp(0, 255)


def grey_weights(channels: int) -> Array:
    """What each channel weighs in the grey of a picture; even where there are not three."""
    return GREY if channels == 3 else np.full(channels, 1 / channels)


def _factor(u: Numbers, amount: float, probability: float) -> Array:
    return 1 + symmetric(u[:, 1]) * amount * chosen(u, probability)


def _times(factor: Array, channels: int) -> Array:
    return factor[:, None, None] * np.eye(channels)


@dataclass(frozen=True)
class Brightness:
    """Every value times a factor."""

    amount: float
    probability: float
    lanes: ClassVar[int] = 2

    @property
    def active(self) -> bool:
        return bool(self.amount and self.probability)

    def on(self, colour: Colour, u: Numbers) -> Colour:
        return colour.then(_times(_factor(u, self.amount, self.probability), colour.shift.shape[1]))


@dataclass(frozen=True)
class Contrast:
    """The distance to the picture's mean grey times a factor."""

    amount: float
    probability: float
    lanes: ClassVar[int] = 2

    @property
    def active(self) -> bool:
        return bool(self.amount and self.probability)

    def on(self, colour: Colour, u: Numbers) -> Colour:
        channels = colour.shift.shape[1]
        factor = _factor(u, self.amount, self.probability)
        grey = np.broadcast_to(grey_weights(channels), (channels, channels)) * (1 - factor)[:, None, None]
        linear, by_mean, shift = colour.then(_times(factor, channels))
        of_mean = grey @ (colour.linear + colour.by_mean)
        return Colour(linear, by_mean + of_mean, shift + (grey @ colour.shift[:, :, None])[:, :, 0])


@dataclass(frozen=True)
class Saturation:
    """The distance of each pixel to its grey times a factor."""

    amount: float
    probability: float
    lanes: ClassVar[int] = 2

    @property
    def active(self) -> bool:
        return bool(self.amount and self.probability)

    def on(self, colour: Colour, u: Numbers) -> Colour:
        return _towards_grey(colour, _factor(u, self.amount, self.probability))


@dataclass(frozen=True)
class Hue:
    """A rotation of the colours about the grey axis of RGB.

    It keeps red + green + blue of every pixel. A shift of HSV's hue keeps HSV's value instead, and differs by up to a
    third of the range on saturated colours.
    """

    degrees: float
    probability: float
    lanes: ClassVar[int] = 2

    @property
    def active(self) -> bool:
        return bool(self.degrees and self.probability)

    def on(self, colour: Colour, u: Numbers) -> Colour:
        if colour.shift.shape[1] != 3:
            return colour
        angle = np.radians(symmetric(u[:, 1]) * self.degrees * chosen(u, self.probability))[:, None, None]
        # Rodrigues' formula about (1, 1, 1) / sqrt(3)
        across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
        return colour.then(np.cos(angle) * np.eye(3) + (1 - np.cos(angle)) / 3 + np.sin(angle) * across)


@dataclass(frozen=True)
class Greyscale:
    """Colour given up; the channels stay."""

    probability: float
    lanes: ClassVar[int] = 1

    @property
    def active(self) -> bool:
        return bool(self.probability)

    def on(self, colour: Colour, u: Numbers) -> Colour:
        return _towards_grey(colour, np.where(chosen(u, self.probability), 0.0, 1.0))


@dataclass(frozen=True)
class RGBShift:
    """A number of its own added to each channel."""

    amount: float
    probability: float
    lanes: ClassVar[int] = 5

    @property
    def active(self) -> bool:
        return bool(self.amount and self.probability)

    def on(self, colour: Colour, u: Numbers) -> Colour:
        channels = colour.shift.shape[1]
        added = symmetric(u[:, 1 : 1 + channels]) * self.amount * chosen(u, self.probability)[:, None]
        return colour._replace(shift=colour.shift + added)


@dataclass(frozen=True)
class PCA:
    """A shift along the principal axes of the colours, in proportion to their eigenvalues.

    Krizhevsky 2012, "ImageNet classification with deep convolutional neural networks", section 4.1.

    Args:
        sigma: standard deviation of the weight of each axis.
        of: whose colours; ``data`` needs ``learned`` before the first draw.
        values, axes: eigenvalues (C,) and, in columns, eigenvectors (C, C) of the colours in [0, 1].
    """

    sigma: float
    of: Literal["data", "imagenet"]
    probability: float
    values: tuple[float, ...] | None = None
    axes: tuple[tuple[float, ...], ...] | None = None
    lanes: ClassVar[int] = 9

    @property
    def active(self) -> bool:
        return bool(self.sigma and self.probability)

    def on(self, colour: Colour, u: Numbers) -> Colour:
        values, axes = (IMAGENET_VALUES, IMAGENET_AXES) if self.of == "imagenet" else self._own()
        count = len(values)
        weights = normal(u[:, 1 : 1 + count], u[:, 5 : 5 + count]) * self.sigma * chosen(u, self.probability)[:, None]
        return colour._replace(shift=colour.shift + (weights * values) @ axes.T)

    def _own(self) -> tuple[Array, Array]:
        if self.values is None or self.axes is None:
            raise ValueError("the principal axes of the training data's colours are not known yet: call learn() first")
        return np.array(self.values), np.array(self.axes)


def principal_axes(pictures: Sequence[Tensor]) -> tuple[Array, Array]:
    """Eigenvalues, largest first, and eigenvectors in columns of the colours of uint8 pictures (B, C, H, W) each."""
    channels = pictures[0].shape[1]
    count, total, products = 0, np.zeros(channels), np.zeros((channels, channels))
    for batch in pictures:
        colours = batch.transpose(0, 1).flatten(1).numpy().astype(np.float64) / 255
        count, total, products = count + colours.shape[1], total + colours.sum(1), products + colours @ colours.T
    mean = total / count
    values, axes = np.linalg.eigh(products / count - np.outer(mean, mean))
    return values[::-1].clip(0), axes[:, ::-1]


def _towards_grey(colour: Colour, factor: Array) -> Colour:
    if colour.shift.shape[1] != 3:
        return colour
    grey = np.broadcast_to(GREY, (3, 3))
    return colour.then(_times(factor, 3) + (1 - factor)[:, None, None] * grey)
