"""Which pixels the positions along one axis of a layer see: the arithmetic of receptive fields."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

Index = Callable[[int], int]


@dataclass(frozen=True)
class Axis:
    """Position i sees the pixels from `first(i)` to `last(i)`, which may lie outside of the picture (padding).

    Both repeat after `period` positions, `advance` pixels further on. In a net that only shrinks its maps the period is
    1, the field's size is the same everywhere, and `advance` is the stride. Behind an upsampling by s neighbours see
    different amounts, so the period is s: unlike the usual recursion of size, stride and offset (Araujo, Norris, Sim
    2019, "Computing receptive fields of convolutional neural networks"), which this agrees with for period 1, nothing
    is rounded there.

    Args:
        firsts: the first pixel of the positions 0 to period - 1. lasts: their last pixels.
        advance: 0 where every position sees the same pixels.
    """

    firsts: tuple[int, ...]
    lasts: tuple[int, ...]
    advance: int

    @property
    def size(self) -> int:
        """Pixels from the first to the last, at the position where there are most."""
        return max(last - first + 1 for first, last in zip(self.firsts, self.lasts, strict=True))

    @property
    def stride(self) -> Fraction:
        """Pixels from one position's field to the next one's; below 1 behind an upsampling."""
        return Fraction(self.advance, len(self.firsts))

    @property
    def offset(self) -> int:
        """The first pixel of the first position's field: minus the padding gathered so far."""
        return self.firsts[0]

    def first(self, position: int) -> int:
        rounds, place = divmod(position, len(self.firsts))
        return self.firsts[place] + rounds * self.advance

    def last(self, position: int) -> int:
        rounds, place = divmod(position, len(self.lasts))
        return self.lasts[place] + rounds * self.advance

    def through(self, first: Index, last: Index, *, every: int = 1, moves: int = 1) -> Axis:
        """The axis behind a layer whose output o reads the positions `first(o)` to `last(o)` of this one.

        Args:
            every, moves: an output `every` places further on reads `moves` positions further on.
        """
        period = len(self.firsts)
        rounds = period // math.gcd(period, moves) if moves else 1
        outputs = range(every * rounds)
        return Axis(
            tuple(self.first(first(o)) for o in outputs),
            tuple(self.last(last(o)) for o in outputs),
            self.advance * (moves * rounds // period),
        )

    def of_all(self, count: int) -> Axis:
        """What something sees that reads all of the `count` positions."""
        return Axis((self.first(0),), (self.last(count - 1),), 0)

    def joined(self, other: Axis, count: int) -> Axis:
        """What `count` positions see that read both axes: from the smaller first to the larger last pixel."""
        if self.stride != other.stride:
            both = self.of_all(count), other.of_all(count)
            return Axis((min(a.firsts[0] for a in both),), (max(a.lasts[0] for a in both),), 0)
        period = math.lcm(len(self.firsts), len(other.firsts))
        return Axis(
            tuple(min(self.first(i), other.first(i)) for i in range(period)),
            tuple(max(self.last(i), other.last(i)) for i in range(period)),
            int(self.stride * period),
        )

    def within(self, position: int, pixels: int) -> tuple[int, int]:
        """First and last pixel of a position's field inside a picture of so many pixels."""
        return max(self.first(position), 0), min(self.last(position), pixels - 1)


PIXELS = Axis((0,), (0,), 1)
"""The picture itself: each position sees its own pixel."""


def window(axis: Axis, kernel: int, stride: int, padding: int, dilation: int = 1) -> Axis:
    """Behind a convolution or pooling; positive `padding` stands before the first position."""
    reach = dilation * (kernel - 1)
    return axis.through(lambda o: o * stride - padding, lambda o: o * stride - padding + reach, moves=stride)


def transposed_window(axis: Axis, kernel: int, stride: int, padding: int, dilation: int = 1) -> Axis:
    """Behind a transposed convolution: output o reads every position i with o = i * stride - padding + a tap."""
    reach = dilation * (kernel - 1)

    def last(o: int) -> int:
        return (o + padding) // stride

    def first(o: int) -> int:
        return min(-((reach - o - padding) // stride), last(o))

    return axis.through(first, last, every=stride)


def adaptive_window(axis: Axis, size: int, outputs: int) -> Axis:
    """Behind an adaptive pooling of `size` positions to so many outputs."""
    shared = math.gcd(size, outputs)
    return axis.through(
        lambda o: o * size // outputs,
        lambda o: -(-(o + 1) * size // outputs) - 1,
        every=outputs // shared,
        moves=size // shared,
    )


def repeated(axis: Axis, times: int) -> Axis:
    """Behind an enlargement in which each position stands `times` times."""
    return axis.through(lambda o: o // times, lambda o: o // times, every=times)


def interpolated(axis: Axis, size: int, outputs: int, taps: int, corners: bool = False) -> Axis:
    """Behind an interpolation of `size` positions to so many outputs.

    Args:
        taps: neighbours that an output reads: 1 nearest, 2 linear, 4 cubic.
        corners: the corners' centres lie on each other (`align_corners`).
    """
    if taps == 1:
        shared = math.gcd(size, outputs)
        every, moves = outputs // shared, size // shared
        return axis.through(lambda o: o * moves // every, lambda o: o * moves // every, every=every, moves=moves)
    above, below = (size - 1, max(outputs - 1, 1)) if corners else (size, outputs)
    shift = 0 if corners else above - below
    further = taps // 2 - 1

    def first(o: int) -> int:  # the centre in the input is o * above / below, or (o + 1/2) * above / below - 1/2
        return (2 * o * above + shift) // (2 * below) - further

    def last(o: int) -> int:
        return -((-2 * o * above - shift) // (2 * below)) + further

    shared = math.gcd(above, below)
    return axis.through(first, last, every=below // shared, moves=above // shared)
