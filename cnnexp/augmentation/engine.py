"""The augmentation of a batch: one geometry and one colour matrix for each sample, applied in one pass each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cnnexp.augmentation import colour, exact, geometry, holes
from cnnexp.augmentation.base import Augmenting
from cnnexp.augmentation.colour import Colouring
from cnnexp.augmentation.elastic import Elastic, field
from cnnexp.augmentation.geometry import Crop, Frame, Geometry, Moving, RandomResizedCrop
from cnnexp.augmentation.holes import Hole
from cnnexp.augmentation.lanes import Lanes, Numbers, chosen
from cnnexp.augmentation.mixing import LANES as MIXING_LANES
from cnnexp.augmentation.mixing import Cutmix, Mix, Mixing, Mixup
from cnnexp.augmentation.motion import Motion
from cnnexp.augmentation.noise import Noise
from cnnexp.augmentation.normalisation import Normalisation, fused, fused_cut
from cnnexp.augmentation.operations import Finishing
from cnnexp.augmentation.resample import VOID, make_grid, sample, shrinkage

LEARN_FROM = 1000
"""Training pictures that the principal axes of the colours are found from."""


class Augmented(NamedTuple):
    """What became of a batch's pictures.

    Attributes:
        image: normalised floats (B, C, H, W) of the net's size. motion: None where nothing moved. mix: None where
            nothing is mixed. clean: the pictures without noise and holes, where somebody wants them and there are any.
    """

    image: Tensor
    motion: Motion | None = None
    mix: Mix | None = None
    clean: Tensor | None = None


class Augmentation(Augmenting):
    """Draws geometry, colour, noise, holes and mixing for every sample and applies them.

    Geometry, colour, noise, holes, finishing operations and mixing follow each other in this order, and within each
    the operations in the order given. A draw is a function of (seed, epoch, index of the sample) alone: the same on
    every device, for any number of workers, after a resume, and however a batch is split over processes.

    Args:
        seed: of the run.
        compiled: whether whole-pixel crops, colour and normalisation are one compiled pass.
        operations: by name; conf/augmentation/pictures.yaml says which there are.

    Attributes:
        keeps_clean: whether pictures are wanted without noise and holes too, moved and coloured alike.
    """

    def __init__(self, *, seed: int, compiled: bool = False, operations: Mapping[str, Any] | None = None) -> None:
        given: dict[str, Any] = {} if operations is None else dict(operations)
        self.keeps_clean = False
        self.crop = _only(given, Crop, Crop(padding=0))
        self.part = _only(given, RandomResizedCrop, None)
        self.elastic = _only(given, Elastic, None)
        self.noise = _only(given, Noise, None)
        self.mixing = Mixing(_only(given, Mixup, Mixup(0.0, 0.0)), _only(given, Cutmix, Cutmix(0.0, 0.0)))
        translate = given.get("translate")
        self.shift = translate.fraction if isinstance(translate, geometry.Translate) else 0.0
        self.moving: dict[str, Moving] = _active(given, Moving)
        self.colouring: dict[str, Colouring] = _active(given, Colouring)
        self.holes: dict[str, Hole] = _active(given, Hole)
        self.finishing: dict[str, Finishing] = _active(given, Finishing)
        self.exact = not (self.part or self.elastic) and all(one.exact for one in self.moving.values())
        self._lanes = Lanes(self._counts(), seed)
        self._border = {"picture": exact.Border(0), "mask": exact.Border(VOID)}
        self.compiled = compiled
        if compiled:
            # resampling stays out: torch's own is faster than what comes of compiling it
            self._fused = torch.compile(fused, dynamic=False)
            self._fused_cut = torch.compile(fused_cut, dynamic=False)

    def _counts(self) -> dict[str, int]:
        counts = {"crop": self.crop.lanes}  # data that is stored larger is cropped without being asked
        single = {"random_resized_crop": self.part, "elastic": self.elastic, "noise": self.noise}
        counts |= {name: one.lanes for name, one in single.items() if one is not None}
        for group in (self.moving, self.colouring, self.holes, self.finishing):
            counts |= {name: one.lanes for name, one in group.items()}
        if self.mixing.active:
            counts["mixing"] = MIXING_LANES
        return counts

    @property
    def active(self) -> bool:
        """False when nothing is switched on."""
        return bool(self.crop.active or len(self._counts()) > 1)

    def unfit(self, channels: int, warps: bool, mixes: bool) -> list[str]:
        """A line for each operation that makes no sense for such data and task.

        Args:
            channels: of the pictures. warps: whether the truth can follow a local warp. mixes: whether truths can be
                mixed.
        """
        found = []
        for name, share in (("mixup", self.mixing.mixup), ("cutmix", self.mixing.cutmix)):
            if share.active and not mixes:
                reason = "mixes class labels, which only classification has; 0 is off"
                found.append(f"augmentation.{name}.alpha={share.alpha:g}: {reason}")
        if self.elastic is not None and not warps:
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

    def learn(self, batches: Sequence[Tensor]) -> None:
        """Find the principal axes of the training pictures' colours, in uint8 pictures (B, C, H, W) each."""
        values, axes = colour.principal_axes(batches)
        pca = self.colouring["pca"]
        assert isinstance(pca, colour.PCA)
        self.colouring["pca"] = replace(pca, values=tuple(values.tolist()), axes=tuple(map(tuple, axes.tolist())))

    @torch.no_grad()
    def __call__(self, image: Tensor, index: Tensor, epoch: int, normalisation: Normalisation) -> Augmented:
        """Stored uint8 pictures (B, C, H, W) → augmented, normalised floats of the net's size.

        Args:
            index: int64 (B,), of the samples in their split.
        """
        frame = normalisation.frame(image)
        if frame.source == frame.output and not self.active:
            return Augmented(normalisation(image))
        numbers = self._lanes.draw(index.cpu().numpy(), epoch)
        if not torch.is_autocast_enabled(image.device.type):
            return self._apply(image, numbers, frame, normalisation)
        with torch.autocast(image.device.type, enabled=False):  # matrices in bf16 would move colours by 1 %
            return self._apply(image, numbers, frame, normalisation)

    def _apply(
        self, image: Tensor, numbers: dict[str, Numbers], frame: Frame, normalisation: Normalisation
    ) -> Augmented:
        image, motion = self._move(image, numbers, frame, normalisation)
        clean = image.clone() if self.keeps_clean and (self.noise is not None or self.holes) else None
        if self.noise is not None:
            self.noise.add(image, numbers["noise"], 255 * normalisation.scale)
        for name, hole in self.holes.items():
            holes.fill(image, hole.rectangles(numbers[name], *frame.output))
        for name, last in self.finishing.items():
            image = last.finish(image, numbers[name], 255 * normalisation.scale)
            clean = None if clean is None else last.finish(clean, numbers[name], 255 * normalisation.scale)
        if not self.mixing.active:
            return Augmented(image, motion, clean=clean)
        image, mix = self.mixing.mix(image, numbers["mixing"])
        return Augmented(image, motion, mix, clean)

    def _move(
        self, image: Tensor, numbers: Mapping[str, Numbers], frame: Frame, normalisation: Normalisation
    ) -> tuple[Tensor, Motion | None]:
        """Pictures moved, coloured and normalised, and how they moved."""
        by = self._colour(numbers, image, normalisation)
        if self.exact and not self.moving and not self.crop.active and frame.source == frame.output:
            return self._finish(image, by, normalisation), None
        way = self.geometry(numbers, frame)
        if not self.exact:
            return self._resampled(image, way, numbers, frame, by, normalisation)
        motion = Motion(way, frame, reach=self._reach(frame), border=self._border["mask"])
        return self._moved_exactly(image, way, frame, by, normalisation), motion

    def _moved_exactly(
        self, image: Tensor, way: Geometry, frame: Frame, by: colour.OnDevice | None, normalisation: Normalisation
    ) -> Tensor:
        reach, border = self._reach(frame), self._border["picture"]
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
        if self.part is not None:
            u = numbers["random_resized_crop"]
            part, met = self.part.inverse(u, frame), chosen(u, self.part.probability)
            first = Geometry(
                np.where(met[:, None, None], part.linear, first.linear),
                np.where(met[:, None], part.offset, first.offset),
            )
        return geometry.chain([first, *(one.inverse(numbers[name], frame) for name, one in self.moving.items())])

    def _resampled(
        self,
        image: Tensor,
        way: Geometry,
        numbers: Mapping[str, Numbers],
        frame: Frame,
        by: colour.OnDevice | None,
        normalisation: Normalisation,
    ) -> tuple[Tensor, Motion]:
        image = image.to(normalisation.scale.dtype)
        warp = None
        if self.elastic is not None:
            points = self.elastic.displacements(numbers["elastic"], min(frame.source))
            warp = field(torch.from_numpy(points).to(image), frame.output)
        grid = make_grid(way, frame, image, warp)
        return self._finish(sample(image, grid, shrinkage(way)), by, normalisation), Motion(way, frame, grid)

    def _colour(
        self, numbers: Mapping[str, Numbers], image: Tensor, normalisation: Normalisation
    ) -> colour.OnDevice | None:
        if not self.colouring:
            return None
        made = colour.unchanged(*image.shape[:2])
        for name, one in self.colouring.items():
            made = one.on(made, numbers[name])
        return colour.on_device(made, normalisation.scale)


def _only(operations: dict[str, Any], kind: type, otherwise: Any) -> Any:
    """The operation of a kind of which there is one, taken out; ``otherwise`` where it is missing or switched off."""
    name = next((name for name, one in operations.items() if type(one) is kind), None)
    if name is None:
        return otherwise
    found: Any = operations.pop(name)
    return found if kind is Crop or found.active else otherwise


def _active(operations: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    return {name: one for name, one in operations.items() if isinstance(one, kind) and one.active}
