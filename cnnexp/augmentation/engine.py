"""The augmentation of a batch: one geometry and one colour matrix for each sample, applied in one pass each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnexp.augmentation import colour, exact, geometry, holes
from cnnexp.augmentation.boxes import move_boxes
from cnnexp.augmentation.colour import Colouring
from cnnexp.augmentation.elastic import Elastic, field
from cnnexp.augmentation.geometry import Frame, Geometry, Moving
from cnnexp.augmentation.holes import Hole
from cnnexp.augmentation.lanes import Lanes, Numbers, chosen
from cnnexp.augmentation.mixing import LANES as MIXING_LANES
from cnnexp.augmentation.mixing import Mixing, Share
from cnnexp.augmentation.noise import Noise
from cnnexp.augmentation.normalisation import Normalisation, fused, fused_cut
from cnnexp.augmentation.resample import make_grid, sample, sample_mask, shrinkage
from cnnexp.data.base import VOID, Split
from cnnexp.draws import permutation

Batch = dict[str, Tensor]
Operation = Mapping[str, Any]
"""The keys of one operation in conf/augmentation/none.yaml."""

LEARN_FROM = 1000
"""Training pictures that the principal axes of the colours are found from."""


class Augmentation:
    """Draws geometry, colour, noise, holes and mixing for every sample and applies them.

    Each argument holds one operation's keys; conf/augmentation/none.yaml says what they are. They are applied in the
    order of that file. A draw is a function of (seed, epoch, index of the sample) alone: the same on every device, for
    any number of workers, after a resume, and however a batch is split over processes.

    Args:
        seed: of the run.
        compiled: whether whole-pixel crops, colour and normalisation are one compiled pass.
    """

    def __init__(
        self,
        *,
        seed: int,
        compiled: bool = False,
        random_resized_crop: Operation,
        crop: Operation,
        mirror: Operation,
        quarter_turn: Operation,
        scale: Operation,
        pad: Operation,
        translate: Operation,
        rotate: Operation,
        shear: Operation,
        affine: Operation,
        elastic: Operation,
        brightness: Operation,
        contrast: Operation,
        saturation: Operation,
        hue: Operation,
        greyscale: Operation,
        rgb_shift: Operation,
        pca: Operation,
        noise: Operation,
        cutout: Operation,
        erasing: Operation,
        mixup: Operation,
        cutmix: Operation,
    ) -> None:
        self.crop = geometry.Crop(**crop)
        self.part = geometry.RandomResizedCrop(**random_resized_crop)
        moving: dict[str, Moving] = {
            "mirror": geometry.Mirror(**mirror),
            "quarter_turn": geometry.QuarterTurn(**quarter_turn),
            "scale": geometry.Scale(**scale),
            "pad": geometry.Pad(**pad),
            "translate": geometry.Translate(**translate),
            "rotate": geometry.Rotate(**rotate),
            "shear": geometry.Shear(**shear),
            "affine": geometry.Affine(**affine),
        }
        colouring: dict[str, Colouring] = {
            "brightness": colour.Brightness(**brightness),
            "contrast": colour.Contrast(**contrast),
            "saturation": colour.Saturation(**saturation),
            "hue": colour.Hue(**hue),
            "greyscale": colour.Greyscale(**greyscale),
            "rgb_shift": colour.RGBShift(**rgb_shift),
            "pca": colour.PCA(**pca),
        }
        self.shift = translate["fraction"]
        self.moving = {name: one for name, one in moving.items() if one.active}
        self.colouring = {name: one for name, one in colouring.items() if one.active}
        self.elastic = Elastic(**elastic)
        self.noise = Noise(**noise)
        hole: dict[str, Hole] = {"cutout": holes.Cutout(**cutout), "erasing": holes.Erasing(**erasing)}
        self.holes = {name: one for name, one in hole.items() if one.active}
        self.mixing = Mixing(Share(**mixup), Share(**cutmix))
        self.exact = not (self.part.active or self.elastic.active) and all(one.exact for one in self.moving.values())
        self._lanes = Lanes(self._counts(), seed)
        self._border = {"image": exact.Border(0), "mask": exact.Border(VOID)}
        self.compiled = compiled
        if compiled:
            # resampling stays out: torch's own is faster than what comes of compiling it
            self._fused = torch.compile(fused, dynamic=False)
            self._fused_cut = torch.compile(fused_cut, dynamic=False)

    def _counts(self) -> dict[str, int]:
        counts = {"crop": self.crop.lanes}  # data that is stored larger is cropped without being asked
        if self.part.active:
            counts["random_resized_crop"] = self.part.lanes
        if self.elastic.active:
            counts["elastic"] = self.elastic.lanes
        for group in (self.moving, self.colouring, self.holes):
            counts |= {name: one.lanes for name, one in group.items()}
        if self.noise.active:
            counts["noise"] = self.noise.lanes
        if self.mixing.active:
            counts["mixing"] = MIXING_LANES
        return counts

    @property
    def active(self) -> bool:
        """False when nothing is switched on."""
        return bool(self.crop.active or len(self._counts()) > 1)

    def unfit(self, channels: int, boxes: bool, mixes: bool) -> list[str]:
        """A line for each operation that makes no sense for such data and task.

        Args:
            channels: of the pictures. boxes: whether boxes are learnt. mixes: whether labels can be mixed.
        """
        found = []
        for name, share in (("mixup", self.mixing.mixup), ("cutmix", self.mixing.cutmix)):
            if share.active and not mixes:
                reason = "mixes class labels, which only classification has; 0 is off"
                found.append(f"augmentation.{name}.alpha={share.alpha:g}: {reason}")
        if self.elastic.active and boxes:
            found.append(
                f"augmentation.elastic.strength={self.elastic.strength:g}: boxes cannot follow a local warp; "
                "set it 0 and take rotate, scale, shear or translate"
            )
        pca = self.colouring.get("pca")
        if isinstance(pca, colour.PCA) and pca.of == "imagenet" and channels != 3:
            found.append(f"augmentation.pca.of=imagenet: needs 3 channels, not {channels}; data finds axes of its own")
        for name in {"pca", "rgb_shift"} & set(self.colouring):
            if channels > colour.MOST_CHANNELS:
                found.append(
                    f"augmentation.{name}: is for {colour.MOST_CHANNELS} channels at most, not {channels}; 0 is off"
                )
        return found

    @property
    def unlearned(self) -> bool:
        """Whether it needs ``learn`` before the first draw."""
        pca = self.colouring.get("pca")
        return isinstance(pca, colour.PCA) and pca.of == "data" and pca.values is None

    def learn(self, split: Split) -> None:
        """Find the principal axes of the training pictures' colours, in up to ``LEARN_FROM`` of them."""
        if not self.unlearned:
            return
        positions = np.sort(permutation(len(split), 0)[:LEARN_FROM])
        batches = [split.batch(positions[i : i + 100].tolist())["image"] for i in range(0, len(positions), 100)]
        values, axes = colour.principal_axes(batches)
        pca = self.colouring["pca"]
        assert isinstance(pca, colour.PCA)
        self.colouring["pca"] = replace(pca, values=tuple(values.tolist()), axes=tuple(map(tuple, axes.tolist())))

    @torch.no_grad()
    def __call__(self, batch: Batch, epoch: int, normalisation: Normalisation) -> Batch:
        """Stored uint8 pictures → augmented, normalised floats of the net's size.

        Args:
            batch: image uint8 (B, C, H, W) and index (B,); mask (B, H, W), boxes (B, M, 4) and classes (B, M) are
                moved with the picture; label (B,) is needed for mixing.

        Returns:
            The batch, with ``mixed_label`` and ``mix`` where samples are mixed.
        """
        image = batch["image"]
        frame = normalisation.frame(image)
        if frame.source == frame.output and not self.active:
            return {**batch, "image": normalisation(image)}
        numbers = self._lanes.draw(batch["index"].cpu().numpy(), epoch)
        if not torch.is_autocast_enabled(image.device.type):
            return self._apply(batch, numbers, frame, normalisation)
        with torch.autocast(image.device.type, enabled=False):  # matrices in bf16 would move colours by 1 %
            return self._apply(batch, numbers, frame, normalisation)

    def _apply(self, batch: Batch, numbers: dict[str, Numbers], frame: Frame, normalisation: Normalisation) -> Batch:
        moved, image = self._move(batch, numbers, frame, normalisation)
        if self.noise.active:
            self.noise.add(image, numbers["noise"], 255 * normalisation.scale)
        for name, hole in self.holes.items():
            holes.fill(image, hole.rectangles(numbers[name], *frame.output))
        moved["image"] = image
        if self.mixing.active:
            moved |= self.mixing.mix(image, batch["label"], numbers["mixing"])
        return moved

    def _move(
        self, batch: Batch, numbers: Mapping[str, Numbers], frame: Frame, normalisation: Normalisation
    ) -> tuple[Batch, Tensor]:
        """The batch with mask and boxes moved, and its pictures moved, coloured and normalised."""
        by = self._colour(numbers, batch["image"], normalisation)
        if self.exact and not self.moving and not self.crop.active and frame.source == frame.output:
            return dict(batch), self._finish(batch["image"], by, normalisation)
        moved, way = dict(batch), self.geometry(numbers, frame)
        if "boxes" in batch:
            moved["boxes"], moved["classes"] = move_boxes(way, batch["boxes"], batch["classes"], frame)
        if not self.exact:
            return self._resampled(moved, way, numbers, frame, by, normalisation)
        if "mask" in batch:
            moved["mask"] = exact.move(batch["mask"][:, None], way, frame, self._reach(frame), self._border["mask"])[
                :, 0
            ]
        return moved, self._moved_exactly(batch["image"], way, frame, by, normalisation)

    def _moved_exactly(
        self, image: Tensor, way: Geometry, frame: Frame, by: colour.OnDevice | None, normalisation: Normalisation
    ) -> Tensor:
        reach, border = self._reach(frame), self._border["image"]
        if not (self.compiled and exact.copies_rows(image, way)):
            return self._finish(exact.move(image, way, frame, reach, border), by, normalisation)
        crops = exact.windows(image, way, frame, reach, border)
        pictures, top, left = (torch.from_numpy(part) for part in crops[:3])
        made = self._fused_cut(pictures, top, left, crops.size, by, normalisation.scale, normalisation.bias)
        return normalisation.ordered(made)

    def _finish(self, image: Tensor, by: colour.OnDevice | None, normalisation: Normalisation) -> Tensor:
        """Pictures with values from 0 to 255, coloured and normalised."""
        if self.compiled:
            return normalisation.ordered(self._fused(image, by, normalisation.scale, normalisation.bias))
        image = image.to(normalisation.scale.dtype)
        return normalisation.finish(image if by is None else colour.apply(by, image))

    def _reach(self, frame: Frame) -> tuple[int, int]:
        """How far, down and across, whole-pixel crops reach beyond the picture."""
        rows, columns = (self.crop.padding + round(self.shift * side) for side in frame.output)
        return rows, columns

    def geometry(self, numbers: Mapping[str, Numbers], frame: Frame) -> Geometry:
        """The way from output to source of every sample, without the local warp."""
        first = self.crop.inverse(numbers["crop"], frame)
        if self.part.active:
            u = numbers["random_resized_crop"]
            part, met = self.part.inverse(u, frame), chosen(u, self.part.probability)
            first = Geometry(
                np.where(met[:, None, None], part.linear, first.linear),
                np.where(met[:, None], part.offset, first.offset),
            )
        return geometry.chain([first, *(one.inverse(numbers[name], frame) for name, one in self.moving.items())])

    def _resampled(
        self,
        moved: Batch,
        way: Geometry,
        numbers: Mapping[str, Numbers],
        frame: Frame,
        by: colour.OnDevice | None,
        normalisation: Normalisation,
    ) -> tuple[Batch, Tensor]:
        image = moved["image"].to(normalisation.scale.dtype)
        warp = None
        if self.elastic.active:
            points = self.elastic.displacements(numbers["elastic"], min(frame.source))
            warp = field(torch.from_numpy(points).to(image), frame.output)
        grid = make_grid(way, frame, image, warp)
        if "mask" in moved:
            moved["mask"] = sample_mask(moved["mask"], grid)
        return moved, self._finish(sample(image, grid, shrinkage(way)), by, normalisation)

    def _colour(
        self, numbers: Mapping[str, Numbers], image: Tensor, normalisation: Normalisation
    ) -> colour.OnDevice | None:
        if not self.colouring:
            return None
        made = colour.unchanged(*image.shape[:2])
        for name, one in self.colouring.items():
            made = one.on(made, numbers[name])
        return colour.on_device(made, normalisation.scale)
