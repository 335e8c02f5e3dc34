"""What else could stand in a convolution's place, and what that would cost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cnnexp.arithmetic.layer import Convolution

BOTTLENECK_SHARE = 4
"""A bottleneck has so many times fewer maps than the input, unless its width is given (He 2015, figure 5)."""

FEWEST_CHANNELS = 16
"""With fewer, a bottleneck is shown only where its width is given."""


@dataclass(frozen=True)
class Equivalent:
    """Another way to compute the same, or to see as much.

    Args:
        name: what it is. same: whether its output is the same, and not only its size and receptive field.
        weights: without biases; for a matrix all of its numbers. multiply_adds: for one picture, estimated for the FFT.
        formulas: how the two come about, with the numbers in them.
    """

    name: str
    same: bool
    weights: int
    multiply_adds: int
    formulas: tuple[str, ...]


def equivalents(layer: Convolution, bottleneck: int | None = None) -> list[Equivalent]:
    """The layer itself first, then everything that can take its place.

    Args:
        bottleneck: maps between a 1×1 convolution and the layer's own kernel; None takes a quarter of the input's.
    """
    return [
        _itself(layer),
        *_stack(layer),
        *_separable(layer),
        *_bottlenecked(layer, bottleneck),
        _fft(layer),
        _matrix(layer),
    ]


def _itself(layer: Convolution) -> Equivalent:
    per_group = layer.channels // layer.groups
    kernel = _product(*layer.kernel, per_group, layer.filters)
    return Equivalent(
        "the convolution",
        True,
        layer.weights,
        layer.multiply_adds,
        (f"{kernel} weights at each of {layer.side(0):,}·{layer.side(1):,} positions",),
    )


def _stack(layer: Convolution) -> Iterator[Equivalent]:
    """Simonyan and Zisserman 2014, section 2.3: three 3×3 layers see 7×7, with 27C² weights in place of 49C²."""
    kernel = layer.kernel[0]
    square = layer.kernel == (kernel, kernel) and kernel % 2 == 1 and kernel >= 5
    if not square or layer.stride != (1, 1) or layer.dilation != (1, 1) or layer.groups != 1:
        return
    count = (kernel - 1) // 2
    per_layer = [9 * layer.channels * layer.filters] + [9 * layer.filters**2] * (count - 1)
    first = _product(3, 3, layer.channels, layer.filters)
    others = (count - 1,) if count > 2 else ()
    rest = f" + {_product(*others, 3, 3, layer.filters, layer.filters)}"
    yield Equivalent(
        f"{count} layers of 3×3",
        False,
        sum(per_layer),
        sum(weights * places for weights, places in zip(per_layer, _places(layer, count), strict=True)),
        (f"{first}{rest}; sees {count}·2 + 1 = {kernel} pixels",),
    )


def _places(layer: Convolution, count: int) -> Iterator[int]:
    """Positions of each of several 3×3 layers one after another that have the layer's padding between them.

    They get as much each, and the first ones a pixel more where that does not come out even: a layer that keeps its
    input's size becomes layers that do.
    """
    (down, more_down), (across, more_across) = (divmod(padding, count) for padding in layer.padding)
    height, width = layer.height, layer.width
    for number in range(count):
        height += 2 * (down + (number < more_down)) - 2
        width += 2 * (across + (number < more_across)) - 2
        yield height * width


def _separable(layer: Convolution) -> Iterator[Equivalent]:
    """A filter for each map, then 1×1 over the maps (Chollet 2017, "Xception", section 1.2)."""
    if layer.groups != 1 or math.prod(layer.kernel) == 1 or layer.channels == 1:
        return
    depthwise, pointwise = math.prod(layer.kernel) * layer.channels, layer.channels * layer.filters
    weights = depthwise + pointwise
    yield Equivalent(
        "depthwise separable",
        False,
        weights,
        weights * layer.side(0) * layer.side(1),
        (f"{_product(*layer.kernel, layer.channels)} + {_product(layer.channels, layer.filters)} weights",),
    )


def _bottlenecked(layer: Convolution, maps: int | None) -> Iterator[Equivalent]:
    """1×1 to fewer maps before the kernel (Szegedy 2015, "Going deeper with convolutions", section 4)."""
    if layer.groups != 1 or math.prod(layer.kernel) == 1:
        return
    if maps is None and layer.channels < FEWEST_CHANNELS:
        return
    maps = maps or layer.channels // BOTTLENECK_SHARE
    reduction = layer.height * layer.width * layer.channels * maps
    kernel = replace(layer, channels=maps)
    yield Equivalent(
        f"1×1 to {maps} maps first",
        False,
        layer.channels * maps + kernel.weights,
        reduction + kernel.multiply_adds,
        (
            f"{_product(layer.height, layer.width, layer.channels, maps)} = {reduction:,} multiply-adds, then",
            f"{_product(*layer.output[:2], *layer.kernel, maps, layer.filters)} = {kernel.multiply_adds:,}",
        ),
    )


def _fft(layer: Convolution) -> Equivalent:
    """Mathieu, Henaff, LeCun 2013, "Fast training of convolutional networks through FFTs", section 2.

    Each map is transformed once and each output transformed back; in between all maps are multiplied frequency by
    frequency. Filters are taken as transformed beforehand. A transform of N real numbers takes about N log₂N real
    multiplications (half of the 2N log₂N of complex ones), a product of two half spectra 4 · N/2.
    """
    sides = layer.padded(0), layer.padded(1)  # the wrapping round of the transform spoils only what is cut off anyway
    numbers, per_group = math.prod(sides), layer.channels // layer.groups
    transforms = (layer.channels + layer.filters) * round(numbers * math.log2(numbers))
    products = 2 * numbers * per_group * layer.filters
    formulas = [
        f"N = {_product(*sides)} = {numbers:,} numbers in each map, filters transformed before",
        f"({layer.channels} + {layer.filters})·N·log₂N + {_product(2, per_group, layer.filters)}·N",
    ]
    if layer.stride != (1, 1):
        formulas.append("computes every position: the stride only throws results away")
    return Equivalent("by FFT", True, layer.weights, transforms + products, tuple(formulas))


def _matrix(layer: Convolution) -> Equivalent:
    """The same linear map as a fully connected layer, zeros and all."""
    inputs, outputs = layer.height * layer.width * layer.channels, math.prod(layer.output)
    size, used = inputs * outputs, math.prod(map(layer.taps, (0, 1))) * layer.channels // layer.groups * layer.filters
    zeros = f"{size - used:,} of them 0" if used < size else "none of them 0"
    return Equivalent("as a matrix", True, size, size, (f"{inputs:,} inputs × {outputs:,} outputs, {zeros}",))


def _product(*factors: int) -> str:
    return "·".join(f"{factor:,}" for factor in factors)
