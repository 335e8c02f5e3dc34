"""What a net makes of one picture: the maps of its layers, and which of their channels answer most."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.visualize.scores import Tapped


@dataclass(frozen=True)
class Activations:
    """Maps of a layer for one picture.

    Attributes:
        layer: dotted. maps: float32 (C, h, w), as the layer hands them on.
    """

    layer: str
    maps: NDArray[np.float32]

    @property
    def activity(self) -> NDArray[np.float32]:
        """(C,): the mean of max(a, 0) over a map, which is what a ReLU lets through."""
        return np.maximum(self.maps, 0).mean((1, 2))

    @property
    def silent(self) -> int:
        """Channels that are nowhere above 0."""
        return int((self.maps <= 0).all((1, 2)).sum())

    def most_active(self, count: int) -> list[int]:
        """So many channels, the most active first."""
        return [int(place) for place in np.argsort(-self.activity, kind="stable")[:count]]


@torch.no_grad()
def activations(net: nn.Module, x: Tensor, layers: Sequence[str]) -> list[Activations]:
    """The maps of some layers for the first picture of a batch.

    Args:
        net: in evaluation mode. x: prepared, (B, …). layers: dotted. Of one that is called several times the last call
            counts.

    Raises:
        ValueError: a layer hands on no maps (B, C, h, w).
    """
    with ExitStack() as stack:
        tapped = [stack.enter_context(Tapped(net, layer)) for layer in layers]
        net(x[:1])
        found = []
        for layer, one in zip(layers, tapped, strict=True):
            if one.output.ndim != 4:
                raise ValueError(f"{layer}: no maps, but {tuple(one.output.shape)}")
            found.append(Activations(layer, one.output[0].float().cpu().numpy()))
    return found
