"""Pictures at another size by cubic interpolation, as super-resolution is measured."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate

REACH_PX = 2
"""How far to each side an enlarged pixel depends on those of the picture."""


def bicubic(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures (B, C, H, W), floats, at another height and width.

    Keys's cubic with a = -0.5, widened by the factor where a picture gets smaller (antialiased), edges renormalised:
    what Pillow's BICUBIC and MATLAB's imresize compute, but for how the edges are continued. torch's plain ``bicubic``
    has a = -0.75 and is not it. Values may leave the range of the picture's.
    """
    if tuple(x.shape[-2:]) == size:
        return x
    return interpolate(x, size=size, mode="bicubic", antialias=True, align_corners=False)


def enlarged(x: Tensor, factor: int) -> Tensor:
    """Pictures (B, C, H, W) at a whole multiple of their size; 1 leaves them."""
    return bicubic(x, (factor * x.shape[-2], factor * x.shape[-1]))
