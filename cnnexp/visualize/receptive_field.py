"""A row of units under convolutions, counted: what each layer sees, its connections and its parameters.

Goodfellow, Bengio, Courville 2016, "Deep learning", section 9.2: sparse connections (figures 9.2 and 9.3), receptive
fields that grow with the depth (figure 9.4), and parameters that all places share (figure 9.5). All layers keep the
row's size, but for their stride ("same" padding).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Layer:
    """A convolution with one map: sides in units."""

    kernel: int
    stride: int = 1
    dilation: int = 1


@dataclass(frozen=True)
class Counted:
    """A layer of the row, by counting its connections.

    Attributes:
        layer: its settings. inputs, outputs: units below and here.
        mask: (outputs, inputs), which units are connected.
        sees: (outputs, width), which inputs of the net each unit sees, directly or not.
    """

    layer: Layer
    mask: Mask
    sees: Mask

    @property
    def outputs(self) -> int:
        return self.mask.shape[0]

    @property
    def inputs(self) -> int:
        return self.mask.shape[1]

    @property
    def connections(self) -> int:
        """Of the convolution; without sharing each would have a weight of its own."""
        return int(self.mask.sum())

    @property
    def beyond(self) -> int:
        """Taps that lie beyond the ends of the row, where there is nothing to be connected with."""
        return self.layer.kernel * self.outputs - self.connections

    @property
    def dense(self) -> int:
        """Connections, and weights, of a fully connected layer between the same units."""
        return self.outputs * self.inputs

    @property
    def shared(self) -> int:
        """Weights that are different: the kernel's."""
        return self.layer.kernel

    @property
    def middle(self) -> int:
        return self.outputs // 2

    @property
    def seen(self) -> NDArray[np.int64]:
        """The inputs that the middle unit sees, counted from 0."""
        return np.flatnonzero(self.sees[self.middle])


def field(layers: Sequence[Layer]) -> int:
    """Inputs from the first to the last that a unit of the last layer sees: 1 + Σ (k − 1)·dilation·(strides below)."""
    size, step = 1, 1
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * step
        step *= layer.stride
    return size


def wide_enough(layers: Sequence[Layer], most: int) -> int | None:
    """The fewest inputs, 5 at least, among which the middle unit of the last layer sees all that it can, with one more
    on either side; None where these are more than `most`."""
    for width in range(5, most + 1):
        seen = count(layers, width)[-1].seen
        if len(seen) == _taps(layers) and seen[0] > 0 and seen[-1] < width - 1:
            return width
    return None


def count(layers: Sequence[Layer], width: int) -> list[Counted]:
    """Each layer over a row of `width` inputs, the first one first."""
    found: list[Counted] = []
    sees: Mask = np.eye(width, dtype=bool)
    for layer in layers:
        mask = connected(len(sees), layer)
        sees = (mask.astype(int) @ sees.astype(int)) > 0
        found.append(Counted(layer, mask, sees))
    return found


def connected(inputs: int, layer: Layer) -> Mask:
    """Which of ⌈inputs / stride⌉ outputs is connected with which input: (outputs, inputs)."""
    outputs = -(-inputs // layer.stride)
    middle = (layer.kernel - 1) // 2
    mask = np.zeros((outputs, inputs), bool)
    for output in range(outputs):
        for tap in range(layer.kernel):
            place = output * layer.stride + layer.dilation * (tap - middle)
            if 0 <= place < inputs:
                mask[output, place] = True
    return mask


def reached(counted: Sequence[Counted]) -> list[int]:
    """Units of each layer that the middle input reaches: the connections seen from below."""
    middle = counted[0].inputs // 2
    return [int(one.sees[:, middle].sum()) for one in counted]


def _taps(layers: Sequence[Layer]) -> int:
    """Inputs that a unit of the last layer sees far from the ends; with a dilation some between may be left out."""
    places = {0}
    for layer in reversed(layers):
        places = {layer.stride * place + layer.dilation * tap for place in places for tap in range(layer.kernel)}
    return len(places)
