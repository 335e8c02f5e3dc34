"""Pictures enlarged, with the details that they lost."""

from __future__ import annotations

import logging
from typing import ClassVar, Literal

from torch import Tensor

from cnnexp.models.bicubic import bicubic
from cnnexp.tasks.base import Parts
from cnnexp.tasks.restoration import Crop, Restoration

log = logging.getLogger(__name__)


class Shrunk:
    """Pictures made smaller by bicubic interpolation with antialiasing, as ``models/bicubic.py`` has it.

    Args:
        factor: how many times. The rows at the bottom and columns at the right that are over are left out.
    """

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def fitted(self, picture: Tensor) -> Tensor:
        height, width = self.fitting((picture.shape[-2], picture.shape[-1]))
        return picture[..., :height, :width]

    def fitting(self, size: tuple[int, int]) -> tuple[int, int]:
        """The largest size that is a multiple of the factor."""
        return size[0] - size[0] % self.factor, size[1] - size[1] % self.factor

    def __call__(self, picture: Tensor, index: Tensor, epoch: int | None) -> Tensor:
        height, width = picture.shape[-2:]
        return bicubic(picture, (height // self.factor, width // self.factor)).clamp(0, 1)


class SuperResolve(Restoration):
    """Pictures made smaller, and the net is held against the pictures themselves.

    Args:
        factor: how many times larger the answer is. crop: side of the training crops, in pixels of the large picture;
            auto is 96, or as large as the pictures are.
    """

    usual_crop_px: ClassVar[int] = 96

    def __init__(self, parts: Parts, *, factor: Literal[2, 3, 4], crop: Crop) -> None:
        shrunk = Shrunk(factor)
        super().__init__(parts, shrunk, crop, factor)
        size = (parts.facts.input.shape[1], parts.facts.input.shape[2])
        if (fitting := shrunk.fitting(size)) != size:
            log.warning("task.factor=%d: pictures of %dx%d are cut to %dx%d, which it divides", factor, *size, *fitting)

    def simple(self, given: Tensor, size: tuple[int, int]) -> dict[str, Tensor]:
        return {"bicubic": bicubic(given, size)}
