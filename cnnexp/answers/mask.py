"""One class for each pixel, or each voxel of a volume."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.answers.base import Answer, Batch, Picture, Samples
from cnnexp.answers.voxels import Voxels, voxels_of
from cnnexp.augmentation.motion import VOID, Motion

if TYPE_CHECKING:
    from PIL import Image

BACKGROUND = "background"


class Mask(Answer):
    """Truth: ``mask`` uint8 (B, H, W), of volumes (B, D, H, W), 255 = void. Answer: the class of each pixel, uint8
    (h, w), or ``Voxels``."""

    keys: ClassVar[tuple[str, ...]] = ("mask",)
    dense: ClassVar[bool] = True

    @property
    def background(self) -> int | None:
        """The number of the class that is called so."""
        return self.names.index(BACKGROUND) if BACKGROUND in self.names else None

    @property
    def objects(self) -> list[int]:
        """The other classes."""
        return [number for number in range(len(self.names)) if number != self.background]

    def follow(self, batch: Batch, motion: Motion) -> Batch:
        return {"mask": motion.nearest(batch["mask"])}

    def renumbered(self, batch: Batch, numbers: Tensor) -> Batch:
        of_value = torch.arange(VOID + 1, device=numbers.device)  # what stands for no class stays as it is
        of_value[: len(numbers)] = numbers
        return {"mask": of_value[batch["mask"].long()].to(batch["mask"].dtype)}

    def counts(self, split: Samples, positions: NDArray[np.int64]) -> list[int]:
        counts = torch.zeros(VOID + 1, dtype=torch.int64)
        for part in torch.from_numpy(positions).split(256):
            counts += torch.bincount(split.batch(part)["mask"].flatten(), minlength=VOID + 1)
        return counts[: len(self.names)].tolist()

    def marks(self, batch: Batch, place: int) -> dict[str, Any]:
        mask = batch["mask"][place].cpu().numpy()
        return {"mask": mask if mask.ndim == 2 else voxels_of(mask, batch, place).laid_out(self.background)}

    def of_probabilities(self, probabilities: NDArray[np.float32]) -> list[Any]:
        return list(probabilities.argmax(1).astype(np.uint8))

    def said(self, classes: Tensor, batch: Batch) -> list[NDArray[np.uint8] | Voxels]:
        """What a net says of each sample of a prepared batch; ``classes``: of each pixel or voxel, (B, ...)."""
        masks = classes.to(torch.uint8).cpu().numpy()
        return [mask if mask.ndim == 2 else voxels_of(mask, batch, place) for place, mask in enumerate(masks)]

    def as_json(self, answer: NDArray[np.uint8] | Voxels, picture: Picture) -> dict[str, Any]:
        if isinstance(answer, Voxels):
            return answer.as_json(self.names)
        parts = np.bincount(answer.ravel(), minlength=len(self.names)) / answer.size
        return {"area": {name: round(float(part), 6) for name, part in zip(self.names, parts, strict=True) if part}}

    def lines(self, row: Mapping[str, Any]) -> list[str]:
        if "voxels" in row:
            return Voxels.lines(row)
        return [f"{name:<23} {part:.1%} of the picture" for name, part in row["area"].items()]

    def saved(self, answer: NDArray[np.uint8] | Voxels, path: Path, source: Path) -> bytes | None:
        return answer.saved(path, source) if isinstance(answer, Voxels) else None

    def image(self, picture: Picture, answer: NDArray[np.uint8] | Voxels, truth: Batch | None = None) -> Image.Image:
        if isinstance(answer, Voxels):
            return answer.image(picture, self.names, truth, self.background)
        from cnnexp.visualize.masks import masks_image

        true = None if truth is None else truth["mask"][0].numpy()
        return masks_image(picture, sized(answer, picture), self.names, truth=true, background=self.background)

    def frame(self, picture: Picture, answer: NDArray[np.uint8]) -> Image.Image:
        from cnnexp.visualize.canvas import to_image
        from cnnexp.visualize.masks import overlay

        return overlay(to_image(picture), sized(answer, picture), OPACITY, self.background)


OPACITY = 0.6
"""Of the colours over a picture."""


def sized(mask: NDArray[np.uint8], picture: Picture) -> NDArray[np.uint8]:
    """A mask (h, w) at a picture's size (H, W), each pixel the nearest one."""
    from PIL import Image

    height, width = picture.shape[:2]
    if mask.shape == (height, width):
        return mask
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
