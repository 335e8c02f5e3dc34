"""Output sizes, parameters and multiply-adds of one convolution, pooling or fully connected layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cnnexp.errors import InputError

BYTES_PER_NUMBER = 4
"""Single precision."""

Pair = tuple[int, int]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Sliding:
    """What a convolution and a pooling have in common: a window that moves over height and width.

    Args:
        height, width, channels: of the input.
        kernel, stride, padding, dilation: down and across. Padding is on each side.
    """

    height: int
    width: int
    channels: int
    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)

    def problems(self) -> list[str]:
        """A line for everything that makes the layer impossible."""
        found = [
            f"{option} {_sides(values)}: expected whole numbers of at least {least}"
            for option, values, least in (
                ("--kernel", self.kernel, 1),
                ("--stride", self.stride, 1),
                ("--padding", self.padding, 0),
                ("--dilation", self.dilation, 1),
            )
            if min(values) < least
        ]
        if found:
            return found
        covered, padded = (self.covered(0), self.covered(1)), (self.padded(0), self.padded(1))
        if covered[0] > padded[0] or covered[1] > padded[1]:
            found.append(
                f"--kernel {_sides(self.kernel)} covers {_sides(covered)} pixels, and the input with its padding has "
                f"{_sides(padded)}; take a smaller kernel, or --padding {_sides(self._enough())}"
            )
        return found

    def covered(self, axis: int) -> int:
        """Pixels from the window's first to its last: D(F − 1) + 1."""
        return self.dilation[axis] * (self.kernel[axis] - 1) + 1

    def padded(self, axis: int) -> int:
        return (self.height, self.width)[axis] + 2 * self.padding[axis]

    def left_over(self, axis: int) -> int:
        """What the division by the stride leaves: nothing where the formula needs no rounding."""
        return (self.padded(axis) - self.covered(axis)) % self.stride[axis]

    def side(self, axis: int) -> int:
        """⌊(W − F + 2P) / S⌋ + 1."""
        return (self.padded(axis) - self.covered(axis)) // self.stride[axis] + 1

    def beyond(self, axis: int) -> int:
        """Pixels from the end of the last window to that of the padding; below 0 where the window reaches over."""
        return self.padded(axis) - self.covered(axis) - (self.side(axis) - 1) * self.stride[axis]

    def taps(self, axis: int) -> int:
        """Weights of all windows along an axis that meet the picture itself and not its padding."""
        return sum(0 <= place < (self.height, self.width)[axis] for place in self._places(axis))

    def unseen_at_end(self, axis: int) -> int:
        """Pixels of the picture itself, without its padding, behind the last window."""
        return min(max(0, self.beyond(axis) - self.padding[axis]), (self.height, self.width)[axis])

    def unseen_between(self, axis: int) -> int:
        """Pixels of the picture before the last window's end that a stride or a dilation leaps over."""
        size = (self.height, self.width)[axis]
        return size - self.unseen_at_end(axis) - sum(0 <= place < size for place in set(self._places(axis)))

    def _places(self, axis: int) -> list[int]:
        """The pixel that each weight of each window meets, those of the padding below 0 or behind the picture."""
        start, stride, dilation = -self.padding[axis], self.stride[axis], self.dilation[axis]
        return [
            start + window * stride + tap * dilation
            for window in range(self.side(axis))
            for tap in range(self.kernel[axis])
        ]

    def _enough(self) -> Pair:
        down, across = (-(-max(0, self.covered(axis) - (self.height, self.width)[axis]) // 2) for axis in (0, 1))
        return down, across


@dataclass(frozen=True)
class Convolution(Sliding):
    """K filters of F × F × D / groups weights, and a bias for each."""

    filters: int = 1
    groups: int = 1
    bias: bool = True

    def problems(self) -> list[str]:
        found = super().problems()
        if self.filters < 1 or self.groups < 1:
            return [*found, f"--filters {self.filters}, --groups {self.groups}: expected numbers of at least 1"]
        for name, count in (("input channels", self.channels), ("filters", self.filters)):
            if count % self.groups:
                shared = [str(n) for n in range(1, math.gcd(self.channels, self.filters) + 1) if self._divides(n)]
                found.append(f"--groups {self.groups} does not divide {count} {name}; possible are {_few(shared)}")
        return found

    def _divides(self, count: int) -> bool:
        return self.channels % count == 0 and self.filters % count == 0

    @property
    def output(self) -> Shape:
        return self.side(0), self.side(1), self.filters

    @property
    def weights(self) -> int:
        return math.prod(self.kernel) * (self.channels // self.groups) * self.filters

    @property
    def parameters(self) -> int:
        return self.weights + (self.filters if self.bias else 0)

    @property
    def multiply_adds(self) -> int:
        return self.side(0) * self.side(1) * self.weights


@dataclass(frozen=True)
class Pooling(Sliding):
    """A window without weights, over each channel by itself.

    Args:
        ceil: round up, so that a last window may reach over the end of the padding. As in torch, none begins in the
            padding at the end.
    """

    ceil: bool = False

    def problems(self) -> list[str]:
        found = super().problems()
        most = [side // 2 for side in self.kernel]
        if not found and (self.padding[0] > most[0] or self.padding[1] > most[1]):
            found.append(
                f"--padding {_sides(self.padding)}: a pooling's is half of its kernel at most; give {_sides(most)}"
            )
        return found

    def side(self, axis: int) -> int:
        """⌈(W − F + 2P) / S⌉ + 1 with `ceil`, and one less where the last window would begin in the padding."""
        return super().side(axis) + (self.left_over(axis) > 0 and self.ceil and not self.dropped(axis))

    def dropped(self, axis: int) -> bool:
        """Whether a last window that rounding up would add lies in the padding, and is left out."""
        begin = super().side(axis) * self.stride[axis]
        return self.ceil and self.left_over(axis) > 0 and begin >= self.padded(axis) - self.padding[axis]

    @property
    def output(self) -> Shape:
        return self.side(0), self.side(1), self.channels

    @property
    def parameters(self) -> int:
        return 0

    @property
    def multiply_adds(self) -> int:
        return 0


@dataclass(frozen=True)
class FullyConnected:
    """Each unit has a weight for every number of the input."""

    input: Shape
    units: int
    bias: bool = True

    def problems(self) -> list[str]:
        return [] if self.units >= 1 else [f"--units {self.units}: expected a number of at least 1"]

    @property
    def inputs(self) -> int:
        return math.prod(self.input)

    @property
    def output(self) -> Shape:
        return (self.units,)

    @property
    def weights(self) -> int:
        return self.inputs * self.units

    @property
    def parameters(self) -> int:
        return self.weights + (self.units if self.bias else 0)

    @property
    def multiply_adds(self) -> int:
        return self.weights


Layer = Convolution | Pooling | FullyConnected


def checked(layer: Layer) -> Layer:
    """The layer itself.

    Raises:
        InputError: a line for everything that makes it impossible.
    """
    if problems := layer.problems():
        raise InputError(*problems)
    return layer


def activation_bytes(layer: Layer) -> int:
    """Memory of the output for one picture."""
    return BYTES_PER_NUMBER * math.prod(layer.output)


def _sides(values: Sequence[int]) -> str:
    return str(values[0]) if values[0] == values[1] else "x".join(map(str, values))


def _few(words: Sequence[str]) -> str:
    return ", ".join(words) if len(words) <= 8 else f"{', '.join(words[:7])}, … {words[-1]}"
