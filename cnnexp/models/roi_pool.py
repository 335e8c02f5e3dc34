"""What lies in boxes, cut out of maps at several strides: RoIAlign (He et al. 2017) as a sum of weighed cells."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.poolers import LevelMapper

SAMPLES = 2
"""Along each side of a cell that is cut out, each between two rows (or columns) of the map."""


class RoIPool(MultiScaleRoIAlign):
    """torchvision's ``MultiScaleRoIAlign``, on a processor by one sum over cells of all maps.

    Each cell that is cut out is a weighed sum of 16 cells of a map, (samples x neighbours)² of them. torchvision's
    kernel takes them from one channel after the other; here a cell's channels lie side by side, so that a box costs
    half as much, forwards and backwards.
    """

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        """Maps by name and boxes (n, 4) of each picture in pixels → (sum of n, C, size, size)."""
        maps = [x[name] for name in self.featmap_names]
        if maps[0].device.type != "cpu":
            return super().forward(x, boxes, image_shapes)
        tallest = max(shape[0] for shape in image_shapes)
        strides = [round(math.log2(tallest / one.shape[2])) for one in maps]
        cells = torch.cat([one.permute(0, 2, 3, 1).reshape(-1, one.shape[1]) for one in maps])
        wide = cells.float() if cells.dtype in (torch.bfloat16, torch.float16) else cells
        size, channels = self.output_size[0], cells.shape[1]
        which, weights = self._sources(maps, boxes, strides)
        found = F.embedding_bag(which, wide, per_sample_weights=weights.to(wide.dtype), mode="sum")
        return found.view(-1, size**2, channels).transpose(1, 2).reshape(-1, channels, size, size).to(cells.dtype)

    def _sources(self, maps: list[Tensor], boxes: list[Tensor], strides: list[int]) -> tuple[Tensor, Tensor]:
        """Rows of ``cells`` for each cell that is cut out, and how much each counts: (n * size², 16) both.

        Args:
            strides: logarithms to base 2 of the maps' strides in pixels.
        """
        size = self.output_size[0]
        every = torch.cat(boxes)
        picture = torch.cat([torch.full((len(own),), place) for place, own in enumerate(boxes)])
        mapper = LevelMapper(strides[0], strides[-1], self.canonical_scale, self.canonical_level)
        level = mapper(boxes) if len(every) else picture
        sides = torch.tensor([one.shape[2:] for one in maps])
        areas = sides.prod(dim=1)
        first = torch.cat([areas.new_zeros(1), (areas * len(maps[0])).cumsum(0)[:-1]])
        scale, (height, width) = (0.5 ** torch.tensor(strides).to(every))[level], sides[level].unbind(dim=1)
        row, by_row = _along(every[:, 1] * scale, every[:, 3] * scale, height, size)
        column, by_column = _along(every[:, 0] * scale, every[:, 2] * scale, width, size)
        begin = (first[level] + picture * areas[level])[:, None, None]
        which = (begin + row * width[:, None, None])[:, :, None, :, None] + column[:, None, :, None, :]
        weights = by_row[:, :, None, :, None] * by_column[:, None, :, None, :]
        return which.reshape(-1, (2 * SAMPLES) ** 2), weights.reshape(-1, (2 * SAMPLES) ** 2)


def _along(begin: Tensor, end: Tensor, length: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Along one axis the neighbours of the samples in each cell, and their weights: (n, size, 2 * SAMPLES) both.

    Args:
        begin, end: of boxes (n,), in cells of the map. length: of the map (n,).
    """
    step = (end - begin).clamp(min=1) / size
    places = (torch.arange(size * SAMPLES).to(begin) + 0.5) / SAMPLES
    at, last = begin[:, None] + places * step[:, None], (length - 1)[:, None]
    inside = (at >= -1) & (at <= length[:, None])
    at = torch.minimum(at.clamp(min=0), last.to(at))
    lower = at.floor()
    part = at - lower
    neighbours = torch.stack([lower.long(), torch.minimum(lower.long() + 1, last)], dim=-1)
    weights = torch.stack([1 - part, part], dim=-1) * (inside[..., None] / SAMPLES)
    return neighbours.view(-1, size, 2 * SAMPLES), weights.view(-1, size, 2 * SAMPLES)
