"""The class of each voxel of a volume, and how large a voxel is: what a mask of a volume is told and drawn by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.answers.base import Batch, Picture
from cnnexp.augmentation.motion import VOID
from cnnexp.inputs.volume_files import UNKNOWN, Spacing, mask_content
from cnnexp.inputs.volumes import spacing_of

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Voxels:
    """Attributes:
    classes: uint8 (D, H, W), 255 = void. spacing: millimetres from voxel to voxel along them, zeros where unknown.
    """

    classes: NDArray[np.uint8]
    spacing: Spacing = UNKNOWN

    def as_json(self, names: Sequence[str]) -> dict[str, Any]:
        """Voxels of each class that occurs, and its volume where the spacing is known."""
        counts = np.bincount(self.classes.ravel(), minlength=len(names))[: len(names)].tolist()
        found = {name: count for name, count in zip(names, counts, strict=True) if count}
        said: dict[str, Any] = {"size": list(self.classes.shape), "voxels": found}
        if all(self.spacing):
            each = float(np.prod(self.spacing))
            said["spacing_mm"] = [round(side, 6) for side in self.spacing]
            said["volume_mm3"] = {name: round(count * each, 3) for name, count in found.items()}
        return said

    @staticmethod
    def lines(row: Mapping[str, Any]) -> list[str]:
        """What ``as_json`` gave, in words."""
        total, volumes = int(np.prod(row["size"])), row.get("volume_mm3", {})
        size = "×".join(map(str, row["size"]))
        spaced = "×".join(f"{side:g}" for side in row.get("spacing_mm", ()))
        lines = [f"{size} voxels" + (f" of {spaced} mm" if spaced else "; how large one is, the file does not say")]
        for name, count in row["voxels"].items():
            measured = f", {volumes[name] / 1000:,.2f} ml" if name in volumes else ""
            lines.append(f"{name:<23} {count / total:.1%} of the volume: {count:,} voxels{measured}")
        return lines

    def saved(self, path: Path, source: Path) -> bytes:
        """The content of a file with the mask, in the place of the file asked about."""
        return mask_content(self.classes, path, source)

    def laid_out(self, background: int | None = None) -> NDArray[np.uint8]:
        """The mask in the places of the picture that ``Volumes.pictures`` makes."""
        from cnnexp.visualize.volumes import laid_out, seen_through

        gap = VOID if background is None else background
        return laid_out(self.classes, self.spacing, seen_through(background), gap)

    def image(self, picture: Picture, names: Sequence[str], truth: Batch | None, background: int | None) -> Image.Image:
        """Slices and projections of the volume, beside them with the true classes and with these."""
        from cnnexp.visualize.volumes import volumes_image

        true = None if truth is None else voxels_of(truth["mask"][0].numpy(), truth, 0).laid_out(background)
        return volumes_image(picture, self.laid_out(background), names, truth=true, background=background)


def voxels_of(classes: NDArray[np.uint8], batch: Batch, place: int) -> Voxels:
    """The classes of a sample of a batch, with its spacing."""
    return Voxels(classes, spacing_of(batch, place))
