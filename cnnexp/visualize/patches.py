"""Where in many pictures a channel answers most, and the part of the picture that it sees there.

After Zeiler and Fergus (2014, "Visualizing and understanding convolutional networks", figure 2), who set such patches
beside what a deconvolution makes of them; a picture gives one patch here, so that a row shows as many pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.visualize.scores import Tapped

BATCH = 25
OUTSIDE = 200
"""The grey of what a field has beyond the picture, where the net sees padding."""

Box = tuple[int, int, int, int]
"""First row, first column, last row, last column, in pixels; beyond the picture too."""


@dataclass(frozen=True)
class Peaks:
    """The largest answer of each channel on each picture.

    Attributes:
        layer: dotted. size: height and width of its maps. values: float32 (N, C). places: int64 (N, C), row · width +
            column on the map.
    """

    layer: str
    size: tuple[int, int]
    values: NDArray[np.float32]
    places: NDArray[np.int64]

    def strongest(self, channel: int, count: int) -> list[int]:
        """So many pictures, the one with the largest answer of the channel first."""
        return [int(place) for place in np.argsort(-self.values[:, channel], kind="stable")[:count]]

    def place(self, picture: int, channel: int) -> tuple[int, int]:
        """Row and column on the map."""
        row, column = divmod(int(self.places[picture, channel]), self.size[1])
        return row, column

    def choosy(self, count: int, patches: int) -> list[int]:
        """So many channels, by how far the answers that are shown stand out, the farthest first.

        That is the least of the ``patches`` largest answers, less the mean over all pictures, in standard deviations.
        Channels that are never above 0 are left out.
        """
        least = -np.sort(-self.values, axis=0)[min(patches, len(self.values)) - 1]
        spread = self.values.std(0)
        out = np.divide(least - self.values.mean(0), spread, out=np.full_like(least, -np.inf), where=spread > 0)
        out[self.values.max(0) <= 0] = -np.inf
        return [int(place) for place in np.argsort(-out, kind="stable")[:count] if np.isfinite(out[place])]


@torch.no_grad()
def peaks(net: nn.Module, prepared: Callable[[int, int], Tensor], count: int, layers: Sequence[str]) -> list[Peaks]:
    """Look for the largest answers in so many pictures, a batch at a time.

    Args:
        net: in evaluation mode. prepared: pictures from one number up to another → what the net takes.

    Raises:
        ValueError: a layer hands on no maps (B, C, h, w).
    """
    found: list[list[tuple[Tensor, Tensor]]] = [[] for _ in layers]
    sizes: list[tuple[int, int]] = []
    with ExitStack() as stack:
        tapped = [stack.enter_context(Tapped(net, layer)) for layer in layers]
        for start in range(0, count, BATCH):
            net(prepared(start, min(count, start + BATCH)))
            sizes = [(one.output.shape[-2], one.output.shape[-1]) for one in tapped if one.output.ndim == 4]
            if len(sizes) < len(layers):
                wrong = next(layer for layer, one in zip(layers, tapped, strict=True) if one.output.ndim != 4)
                raise ValueError(f"{wrong}: hands on no maps")
            for batches, one in zip(found, tapped, strict=True):
                values, places = one.output.flatten(2).max(2)
                batches.append((values.float().cpu(), places.cpu()))
    return [
        Peaks(layer, size, *(torch.cat(parts).numpy() for parts in zip(*batches, strict=True)))
        for layer, size, batches in zip(layers, sizes, found, strict=True)
    ]


def cut(picture: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The part of a picture (H, W, C) in a box; along a side that the box is longer than, the whole side.

    Returns:
        uint8 (h, w, C), grey where the box is beyond the picture.
    """
    sides = []
    for first, last, side in ((box[0], box[2], picture.shape[0]), (box[1], box[3], picture.shape[1])):
        sides.append((0, side - 1) if last - first + 1 >= side else (first, last))
    (top, bottom), (left, right) = sides
    patch = np.full((bottom - top + 1, right - left + 1, picture.shape[2]), OUTSIDE, np.uint8)
    inside = picture[max(0, top) : bottom + 1, max(0, left) : right + 1]
    at = (max(0, -top), max(0, -left))
    patch[at[0] : at[0] + inside.shape[0], at[1] : at[1] + inside.shape[1]] = inside
    return patch
