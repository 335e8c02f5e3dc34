"""Clips: frames, uint8 (B, T, C, H, W) under ``clip``; nets take them normalised, as (B, C, T, H, W)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.engine import Augmentation
from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Input, Picture, Preparation, Samples, Shape, Truth
from cnnexp.inputs.clip_files import read_clip
from cnnexp.inputs.film_formats import CLIP_SUFFIXES
from cnnexp.inputs.picture_files import Size, find_pictures
from cnnexp.inputs.pictures import PicturePreparation, Pictures


@dataclass(frozen=True)
class Clips(Input):
    """Clips of one number of frames of one size.

    Nets take channels before time, as those of torchvision.models.video do.

    Args:
        frames: of a clip. channels: 1 (grey) or 3 (RGB). image_size: height and width that nets take.
        decode_size: height and width of the stored frames, or a factor of ``image_size``, where they are larger; the
            rest is cropped away.
        mean, std: per channel for pixels in [0, 1].
    """

    frames: int
    channels: int
    image_size: tuple[int, int]
    decode_size: tuple[int, int] | float | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None

    name: ClassVar[str] = "clips"
    noun: ClassVar[str] = "clip"
    notation: ClassVar[str] = "TxCxHxW"
    sides: ClassVar[tuple[int, ...]] = Pictures.sides

    @property
    def of_a_frame(self) -> Pictures:
        """A frame on its own."""
        return Pictures(self.channels, self.image_size, self.decode_size, self.mean, self.std)

    @property
    def shape(self) -> Shape:
        return (self.frames, self.channels, *self.image_size)

    @property
    def stored_size(self) -> Size:
        """Height and width of the frames in a stored batch."""
        return self.of_a_frame.stored_size

    def told(self) -> dict[str, Any]:
        return {**self.of_a_frame.told(), "frames": self.frames}

    def of_shape(self, shape: Shape) -> Clips:
        if len(shape) != 4 or min(shape) < 1:
            raise InputError(
                f"{'x'.join(map(str, shape))}: expected frames x channels x height x width, for example 16x3x112x112"
            )
        frame = self.of_a_frame.of_shape(shape[1:])
        return replace(
            self,
            frames=shape[0],
            channels=frame.channels,
            image_size=frame.image_size,
            mean=frame.mean,
            std=frame.std,
        )

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch["clip"],)

    def example(self, count: int, device: torch.device | str = "meta") -> tuple[Tensor, ...]:
        return (torch.empty(count, self.channels, self.frames, *self.image_size, device=device),)

    def preparation(
        self, augmentation: Any, truths: Sequence[Truth], *, seed: int, centred: bool, channels_last: bool
    ) -> ClipPreparation:
        frame = self.of_a_frame.preparation(
            augmentation, truths, seed=seed, centred=centred, channels_last=channels_last
        )
        return ClipPreparation(frame, truths, channels_last=channels_last)

    @classmethod
    def plain(cls, *, seed: int, compiled: bool = False) -> Augmentation:
        """No augmentation: what is stored larger is cropped without being asked."""
        return Pictures.plain(seed=seed, compiled=compiled)

    def problems(self, augmentation: Any, truths: Sequence[Truth], mixes: bool) -> list[str]:
        if isinstance(augmentation, Augmentation) and augmentation.mixing.active:
            shares = {"mixup": augmentation.mixing.mixup, "cutmix": augmentation.mixing.cutmix}
            name = next(name for name, share in shares.items() if share.active)
            return [f"augmentation.{name}.alpha={shares[name].alpha:g}: clips are not mixed with each other; 0 is off"]
        return self.of_a_frame.problems(augmentation, truths, mixes)

    def read(self, path: Path) -> Batch:
        """A film, a picture that moves, or a folder of frames: as many as nets take, evenly spread."""
        clip = read_clip(path, self.frames, self.stored_size, self.channels)
        return {"clip": clip[None], "index": torch.zeros(1, dtype=torch.int64)}

    def picture(self, path: Path) -> Picture:
        return self.pictures(self.read(path))[0]

    def pictures(self, batch: Batch) -> list[Picture]:
        return _pictures(batch["clip"])

    def moving(self, batch: Batch) -> list[bytes]:
        from cnnexp.visualize.clips import moving_picture

        return [moving_picture(one) for one in _with_colours_last(batch["clip"])]

    def prepared_by(self) -> str:
        return self.of_a_frame.prepared_by().replace("pictures", "frames")

    @property
    def side(self) -> int:
        return self.of_a_frame.side

    def with_side(self, side: int) -> Clips:
        return self.of_shape((self.frames, self.channels, side, side))

    @property
    def setting(self) -> str:
        return self.of_a_frame.setting

    @property
    def suffixes(self) -> frozenset[str]:
        return CLIP_SUFFIXES

    def is_sample(self, folder: Path) -> bool:
        return bool(find_pictures(folder))


class ClipPreparation(Preparation):
    """Prepares each frame as a picture, with the clip's own draws.

    A draw is a function of the sample, and all frames are of one: they move alike, their colours change alike and the
    same places are left out. Noise is the same in all of them too, as that of a dirty lens. What is measured in the
    picture, the mean grey of ``contrast``, is each frame's own.

    Args:
        frame: prepares frames.
    """

    def __init__(self, frame: PicturePreparation, truths: Sequence[Truth], *, channels_last: bool) -> None:
        super().__init__()
        self.frame = frame
        self._keys = tuple(key for truth in truths for key in truth.keys)
        self._order = torch.channels_last_3d if channels_last else torch.contiguous_format

    @property
    def augments(self) -> bool:
        return self.frame.augments

    def keep_clean(self) -> None:
        self.frame.keep_clean()

    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        frames, rest = self._apart(batch)
        prepared = self.frame(frames, train, epoch)
        image, moved = self._joined(prepared, batch)
        if "clean" in prepared:
            moved["clean"] = prepared["clean"].unflatten(0, batch["clip"].shape[:2]).transpose(1, 2)
        return {**rest, **moved, "clip": image.transpose(1, 2).contiguous(memory_format=self._order)}

    def stored(self, batch: Batch) -> Batch:
        frames, rest = self._apart(batch)
        image, moved = self._joined(self.frame.stored(frames), batch)
        return {**rest, **moved, "clip": image}

    def shown(self, batch: Batch) -> list[Picture]:
        clip = batch["clip"].transpose(1, 2)
        return _pictures(self.frame.normalisation.undone(clip.flatten(0, 1)).unflatten(0, clip.shape[:2]))

    def learn(self, split: Samples) -> None:
        """Let the augmentation see frames, where it has to."""
        self.frame.learn(_Frames(split))

    def _apart(self, batch: Batch) -> tuple[Batch, Batch]:
        """The frames as pictures, each with the index and the truth of its clip; and what else there is."""
        count = batch["clip"].shape[1]
        repeated = {key: batch[key].repeat_interleave(count, 0) for key in ("index", *self._keys) if key in batch}
        return {**repeated, "image": batch["clip"].flatten(0, 1)}, dict(batch)

    def _joined(self, frames: Batch, batch: Batch) -> tuple[Tensor, Batch]:
        """Frames (B, T, C, H, W), and the truth of each clip, which went the way of its frames."""
        size = batch["clip"].shape[:2]
        moved = {key: frames[key][:: size[1]] for key in self._keys if key in frames}
        return frames["image"].unflatten(0, size), moved


class _Frames:
    """A split of clips as one of pictures: the middle frame of each."""

    def __init__(self, split: Samples) -> None:
        self._split = split

    def __len__(self) -> int:
        return len(self._split)

    def batch(self, positions: Tensor) -> Batch:
        clip = self._split.batch(positions)["clip"]
        return {"image": clip[:, clip.shape[1] // 2], "index": positions}


def _pictures(clips: Tensor) -> list[Picture]:
    """uint8 (B, T, C, H, W) → a picture of each."""
    from cnnexp.visualize.clips import clip_picture

    return [clip_picture(one) for one in _with_colours_last(clips)]


def _with_colours_last(clips: Tensor) -> NDArray[np.uint8]:
    """uint8 (B, T, C, H, W) → (B, T, H, W, C)."""
    pixels: NDArray[np.uint8] = clips.cpu().permute(0, 1, 3, 4, 2).numpy()
    return pixels
