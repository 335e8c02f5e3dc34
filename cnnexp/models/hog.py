"""Histograms of oriented gradients (Dalal and Triggs 2005): the picture features that people made by hand."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5
CLIP = 0.2
"""L2-Hys, section 6.4 of the paper: normalised, clipped here, and normalised again."""


class HOG(nn.Module):
    """Histograms of gradient directions over cells, normalised over blocks of cells: no weight is learnt.

    The gradient at a pixel is the difference of its neighbours, [-1, 0, 1], zero at the border (section 6.1: no
    smoothing, the plainest mask is best), from the channel where it is largest. Its length is added to the direction
    that it falls into, modulo 180 degrees, of its cell; a pixel votes for one direction and one cell only, where the
    paper shares votes out between neighbours. Blocks overlap by all but one cell.

    Args:
        orientations: directions that 180 degrees are cut into.
        cell: side of a cell in pixels.
        block: side of a block in cells.
    """

    def __init__(self, *, orientations: int, cell: int, block: int) -> None:
        super().__init__()
        self.orientations, self.cell, self.block = orientations, cell, block

    def shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Features a block, and rows and columns of blocks, of a picture of this height and width in pixels."""
        rows, columns = height // self.cell - self.block + 1, width // self.cell - self.block + 1
        return self.orientations * self.block**2, rows, columns

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, orientations * block², rows, columns) >= 0 of pictures (B, C, H, W) of any scale."""
        votes = self.votes(x)
        cells = F.avg_pool2d(votes, self.cell)  # what is left at the right and below is in no cell
        blocks = F.unfold(cells, self.block)
        blocks = _normalised(_normalised(blocks).clamp(max=CLIP))
        return blocks.unflatten(2, self.shape(*x.shape[-2:])[1:])

    def votes(self, x: Tensor) -> Tensor:
        """The length of each pixel's gradient in the place of its direction: (B, orientations, H, W)."""
        across = F.pad(x[..., :, 2:] - x[..., :, :-2], (1, 1))
        down = F.pad(x[..., 2:, :] - x[..., :-2, :], (0, 0, 1, 1))
        length, channel = torch.hypot(across, down).max(1, keepdim=True)
        angle = torch.atan2(down.gather(1, channel), across.gather(1, channel)).rad2deg() % 180
        direction = (angle * self.orientations / 180).long().clamp(max=self.orientations - 1)
        return torch.zeros_like(length).repeat(1, self.orientations, 1, 1).scatter(1, direction, length)


def _normalised(blocks: Tensor) -> Tensor:
    """Blocks (B, features, L), each of length 1 or nearly so."""
    return blocks / (blocks.square().sum(1, keepdim=True) + EPSILON**2).sqrt()
