"""The weights of a layer as filters, and each filter as a tile in which a pixel is a weight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

GREY = 127.5
"""Of a weight of 0; one of plus or minus the scale is white or black."""
FAINT = 0.1
"""Of the strongest filter's norm: below it little of a filter is left."""


@dataclass(frozen=True)
class Filters:
    """A layer's weights.

    Attributes:
        layer: dotted. weights: float (K, C, h, w) or (K, C, length): a filter for each of the K maps that come out,
            with a part for each of the C maps that go in.
    """

    layer: str
    weights: NDArray[np.float32]

    @property
    def norms(self) -> NDArray[np.float32]:
        """(K,), of each filter √Σw²."""
        return np.sqrt(np.square(self.weights.reshape(len(self.weights), -1)).sum(1))

    @property
    def largest(self) -> float:
        """The largest |w|."""
        return float(np.abs(self.weights).max())

    def strongest(self, count: int) -> list[int]:
        """So many filters, those of the largest norm first."""
        return [int(place) for place in np.argsort(-self.norms, kind="stable")[:count]]

    def strongest_inputs(self, count: int) -> list[int]:
        """So many of the maps that go in, those with the largest norm over all filters first."""
        sums = np.square(self.weights).sum(axis=(0, *range(2, self.weights.ndim)))
        return [int(place) for place in np.argsort(-sums, kind="stable")[:count]]

    def moved(self, before: Filters) -> NDArray[np.float32]:
        """(K,), how far each filter is from an earlier self: ‖w − w₀‖ / ‖w₀‖; NaN of one that began at 0."""
        way = Filters(self.layer, self.weights - before.weights).norms
        return np.divide(way, before.norms, out=np.full_like(way, np.nan), where=before.norms > 0)


def filters_of(net: nn.Module, called: Sequence[str], sample: Sequence[int]) -> list[Filters]:
    """The layers that have filters over one or two sides, in the order in which the net comes to them.

    These are convolutions and transposed convolutions; and the first layer that has weights, where it is a linear one
    that reads every pixel: each of its units then has a weight for each pixel of the picture.

    Args:
        called: names of modules in that order. sample: shape of one, (C, H, W) or (C, L).
    """
    found = []
    modules = dict(net.named_modules())
    weighted = [name for name in called if name and isinstance(getattr(modules[name], "weight", None), Tensor)]
    for name in weighted:
        weights = filter_weights(modules[name], sample if name == weighted[0] else None)
        if weights is not None and weights.ndim in (3, 4):
            found.append(Filters(name, weights.detach().float().cpu().numpy()))
    return found


def filter_weights(module: nn.Module, sample: Sequence[int] | None = None) -> Tensor | None:
    """(K, C, …) of a convolution, C being the maps of its group; None of what is none.

    Args:
        sample: shape of what a linear layer is to be seen over; None leaves linear layers out.
    """
    weight = getattr(module, "weight", None)
    if isinstance(module, nn.Linear):
        fits = sample is not None and module.in_features == math.prod(sample) and len(sample) > 1
        return module.weight.unflatten(1, tuple(sample)) if fits and sample is not None else None
    if not isinstance(weight, Tensor) or not hasattr(module, "kernel_size"):
        return None
    if not getattr(module, "transposed", False):
        return weight
    groups = int(getattr(module, "groups", 1))
    return weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)


def tile(part: NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    """A filter's part as a picture: grey is 0, white or the full colour +scale, black −scale.

    Args:
        part: (3, h, w) for a picture's three colours, or (h, w). scale: of the weights, above 0.

    Returns:
        (h, w, 3).
    """
    pixels = np.round(GREY + GREY * np.clip(part / scale, -1, 1)).astype(np.uint8)
    return pixels.transpose(1, 2, 0) if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def figures_of(filters: Filters, before: Filters | None) -> Mapping[str, object]:
    """What is counted, in plain values."""
    norms = filters.norms
    return {
        "layer": filters.layer,
        "shape": list(filters.weights.shape),
        "least": float(filters.weights.min()),
        "largest": float(filters.weights.max()),
        "norms": [float(norm) for norm in norms],
        "faint": int((norms < FAINT * norms.max()).sum()),
        **(
            {}
            if before is None
            else {"moved": [None if np.isnan(way) else float(way) for way in filters.moved(before)]}
        ),
    }
