"""Pictures: uint8 (B, C, H, W) under ``image``, normalised, and augmented on the way into the net."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.engine import LEARN_FROM, Augmentation
from cnnexp.augmentation.motion import Motion
from cnnexp.augmentation.normalisation import Normalisation
from cnnexp.draws import permutation
from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Input, Picture, Preparation, Samples, Shape, Truth
from cnnexp.inputs.picture_files import PICTURE_SUFFIXES, Look, Size, look_of, pillow_mode, pixels_of, read_picture

if TYPE_CHECKING:
    from PIL.Image import Image

_UNKNOWN_MEAN, _UNKNOWN_STD = 0.5, 0.25
"""For pixels in [0, 1], where a data set says nothing."""


@dataclass(frozen=True)
class Pictures(Input):
    """Pictures of one size.

    Args:
        channels: 1 (grey), 3 (RGB), or as many as the files have. image_size: height and width that nets take.
        decode_size: height and width of the stored pictures, or a factor of ``image_size``, where they are larger;
            the rest is cropped away.
        mean, std: per channel for pixels in [0, 1].
        range: the numbers that become black and white, of files of more than 8 bits; None takes those of the type.
        background: the colour behind transparent pictures; None is white.
    """

    channels: int
    image_size: tuple[int, int]
    decode_size: tuple[int, int] | float | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    range: Sequence[float] | None = None
    background: str | None = None

    name: ClassVar[str] = "pictures"
    noun: ClassVar[str] = "picture"
    notation: ClassVar[str] = "CxHxW"
    sides: ClassVar[tuple[int, ...]] = (8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 256, 299, 331, 384, 448, 512)

    @property
    def shape(self) -> Shape:
        return (self.channels, *self.image_size)

    @property
    def stored_size(self) -> Size:
        """Height and width of the pictures in a stored batch."""
        given, (height, width) = self.decode_size, self.image_size
        if isinstance(given, (int, float)):
            return round(given * height), round(given * width)
        return (height, width) if given is None else (given[0], given[1])

    @property
    def look(self) -> Look:
        """How files become 8 bits.

        Raises:
            InputError: the range or the background is none.
        """
        return look_of(self.range, self.background)

    @property
    def normalised_by(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and deviation of each channel: grey shown as colour keeps its own, colour as grey has the average."""
        mean, std = self.mean or [_UNKNOWN_MEAN], self.std or [_UNKNOWN_STD]
        return _for_channels(mean, self.channels), _for_channels(std, self.channels)

    @property
    def pictured(self) -> bool:
        return True

    def told(self) -> dict[str, Any]:
        return {"in_channels": self.channels, "image_size": tuple(self.image_size)}

    def of_shape(self, shape: Shape) -> Pictures:
        if len(shape) != 3 or min(shape) < 1:
            raise InputError(f"{'x'.join(map(str, shape))}: expected channels x height x width, for example 3x224x224")
        channels, height, width = shape
        mean, std = (_UNKNOWN_MEAN,) * channels, (_UNKNOWN_STD,) * channels
        return replace(self, channels=channels, image_size=(height, width), mean=mean, std=std)

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch["image"],)

    def preparation(
        self, augmentation: Any, truths: Sequence[Truth], *, seed: int, centred: bool, channels_last: bool
    ) -> PicturePreparation:
        mean, std = self.normalised_by if centred else ((0.0,) * self.channels, (1.0,) * self.channels)
        stored = None if self.stored_size == tuple(self.image_size) else self.stored_size
        size = (self.image_size[0], self.image_size[1])
        normalisation = Normalisation(mean, std, size, stored, channels_last=channels_last)
        return PicturePreparation(normalisation, augmentation or self.plain(seed=seed), truths)

    @classmethod
    def plain(cls, *, seed: int, compiled: bool = False) -> Augmentation:
        """No augmentation: what is stored larger is cropped without being asked."""
        return Augmentation(seed=seed, compiled=compiled)

    def problems(self, augmentation: Any, truths: Sequence[Truth], mixes: bool) -> list[str]:
        if not isinstance(augmentation, Augmentation):
            return []
        warps = all(getattr(truth, "follows_warps", True) for truth in truths)
        return augmentation.unfit(self.channels, warps, mixes)

    def read(self, path: Path) -> Batch:
        return self.stored_as(read_picture(path, self.stored_size, self.channels, look=self.look)[0][None])

    def of_image(self, image: Image) -> Batch:
        """A picture of Pillow's as a batch of one, as ``read`` gives what it has decoded; nets of 1 or 3 channels."""
        pillow_mode(self.channels)
        return self.stored_as(pixels_of(image, self.stored_size, self.channels, self.look)[None])

    def read_whole(self, path: Path) -> Batch:
        return self.stored_as(read_picture(path, None, self.channels, look=self.look)[0][None])

    @staticmethod
    def stored_as(image: Tensor) -> Batch:
        """Pictures uint8 (B, C, H, W) as a batch."""
        return {"image": image, "index": torch.arange(len(image))}

    def picture(self, path: Path) -> Picture:
        return as_pictures(read_picture(path, None, self.channels, look=self.look)[0][None])[0]

    def pictures(self, batch: Batch) -> list[Picture]:
        return as_pictures(batch["image"])

    def prepared_by(self) -> str:
        mean, std = (", ".join(f"{value:.3g}" for value in values) for values in self.normalised_by)
        return f"; pictures normalised by mean {mean} and deviation {std}"

    @property
    def side(self) -> int:
        return min(self.image_size)

    def with_side(self, side: int) -> Pictures:
        return self.of_shape((self.channels, side, side))

    @property
    def setting(self) -> str:
        return f"data.image_size=[{self.image_size[0]},{self.image_size[1]}]"

    @property
    def suffixes(self) -> frozenset[str]:
        return PICTURE_SUFFIXES


class PicturePreparation(Preparation):
    """Normalises pictures, augments those to train with, and cuts the others around the centre."""

    def __init__(self, normalisation: Normalisation, augmentation: Augmentation, truths: Sequence[Truth]) -> None:
        super().__init__()
        self.normalisation = normalisation
        self.augmentation = augmentation
        self.of_training = normalisation
        self._truths = tuple(truths)

    @property
    def augments(self) -> bool:
        return self.augmentation.active

    def keep_clean(self) -> None:
        self.augmentation.keeps_clean = True

    def crop_training(self, size: Size) -> None:
        """Train on crops of the pictures, drawn anew in each epoch, and evaluate on the whole of them."""
        self.of_training = deepcopy(self.normalisation)
        self.of_training.stored, self.of_training.size = self.normalisation.stored or self.normalisation.size, size

    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        if not train:
            batch = self.stored(batch)
            return {**batch, "image": self.normalisation(batch["image"])}
        image, motion, mix, clean = self.augmentation(batch["image"], batch["index"], epoch, self.of_training)
        moved = {**self._followed(batch, motion), "image": image}
        if clean is not None:
            moved["clean"] = clean
        if mix is not None:
            for truth in self._truths:
                if set(truth.keys) <= batch.keys() and (other := truth.mixed(batch, mix.partner)) is not None:
                    moved |= {**other, "mix": mix.own}
        return moved

    def stored(self, batch: Batch) -> Batch:
        image, motion = self.normalisation.centre(batch["image"])
        return {**self._followed(batch, motion), "image": image}

    def shown(self, batch: Batch) -> list[Picture]:
        return as_pictures(self.normalisation.undone(batch["image"]))

    def learn(self, split: Samples) -> None:
        """Let the augmentation see up to ``LEARN_FROM`` training pictures, where it has to."""
        if not self.augmentation.unlearned:
            return
        positions = np.sort(permutation(len(split), 0)[:LEARN_FROM])
        parts = [torch.from_numpy(positions[i : i + 100]) for i in range(0, len(positions), 100)]
        self.augmentation.learn([split.batch(part)["image"] for part in parts])

    def _followed(self, batch: Batch, motion: Motion | None) -> Batch:
        moved = dict(batch)
        if motion is not None:
            for truth in self._truths:
                if set(truth.keys) <= batch.keys():
                    moved |= truth.follow(batch, motion)
        return moved


def as_pictures(images: Tensor) -> list[NDArray[np.uint8]]:
    """uint8 (B, C, H, W) → uint8 arrays (H, W, 1 or 3); of other numbers of channels the first three, or one."""
    shown = images if images.shape[1] in (1, 3) else images[:, : 3 if images.shape[1] > 3 else 1]
    return list(shown.cpu().permute(0, 2, 3, 1).numpy())


def _for_channels(values: Sequence[float], channels: int) -> tuple[float, ...]:
    if len(values) == channels:
        return tuple(values)
    return (sum(values) / len(values),) * channels
