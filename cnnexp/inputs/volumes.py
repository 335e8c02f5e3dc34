"""Volumes: (B, C, D, H, W) under ``volume``, such as CT, MR or stacks of a microscope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.lanes import Lanes
from cnnexp.augmentation.volumes import Moved, VolumeAugmentation, cut
from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Input, Picture, Preparation, Samples, Shape, Truth
from cnnexp.inputs.volume_files import UNKNOWN, Spacing, VolumeFile, read_volume

Size = tuple[int, int, int]
"""Depth, height, width."""
_SMALLEST_DEVIATION = 1e-6
_SHOWN = (0.005, 0.995)
"""The parts of a volume's numbers, from the lowest on, that are drawn black and white."""


@dataclass(frozen=True)
class Volumes(Input):
    """Volumes of one size; what is stored may be uint8 or float32, and is standardised on its way to the net.

    A stored batch has beside ``volume`` the ``spacing`` (B, 3) in millimetres along depth, height and width, zeros
    where it is not known, and ``levels`` (B, C, 4) of the whole file that a sample was cut from: mean and deviation of
    its numbers, and those that are drawn black and white. Without levels the numbers are of 8 bits.

    Args:
        channels: of a volume. volume_size: depth, height and width of stored volumes.
        crop_size: of what training sees, its place drawn anew in each epoch; null is the whole, as evaluations see it.
        mean, std: per channel, in the volumes' own numbers; null is learnt from the training samples.
        standardise: by these (``set``), or each volume by its own mean and deviation (``volume``).
        window: lowest and highest number that count, such as [-160, 240] of a CT; what is beyond is cut to them.
    """

    channels: int
    volume_size: Size
    crop_size: Size | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    standardise: Literal["set", "volume"] = "set"
    window: tuple[float, float] | None = None

    name: ClassVar[str] = "volumes"
    noun: ClassVar[str] = "volume"
    notation: ClassVar[str] = "CxDxHxW"
    sides: ClassVar[tuple[int, ...]] = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192)

    def __post_init__(self) -> None:
        crop, window = self.crop_size, self.window
        if min(self.volume_size) < 1:
            raise InputError(f"{self.setting}: expected depth, height and width of at least 1")
        if crop is not None and not all(1 <= part <= whole for part, whole in zip(crop, self.volume_size, strict=True)):
            raise InputError(
                f"data.crop_size={_listed(crop)}: lies not within {self.setting}; give sides of 1 up to those, or null"
            )
        if window is not None and not window[0] < window[1]:
            raise InputError(f"data.window={_listed(window)}: expected a lowest and a higher number")

    @property
    def shape(self) -> Shape:
        return (self.channels, *self.volume_size)

    def told(self) -> dict[str, Any]:
        return {"in_channels": self.channels, "volume_size": self.volume_size}

    def of_shape(self, shape: Shape) -> Volumes:
        if len(shape) != 4 or min(shape) < 1:
            raise InputError(
                f"{'x'.join(map(str, shape))}: expected channels x depth x height x width, for example 1x24x48x48"
            )
        channels, depth, height, width = shape
        same = channels == self.channels
        return replace(
            self,
            channels=channels,
            volume_size=(depth, height, width),
            crop_size=None,
            mean=self.mean if same else (0.0,) * channels,
            std=self.std if same else (1.0,) * channels,
        )

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch["volume"],)

    def preparation(
        self, augmentation: Any, truths: Sequence[Truth], *, seed: int, centred: bool, channels_last: bool
    ) -> VolumePreparation:
        return VolumePreparation(self, augmentation, truths, seed=seed, centred=centred, channels_last=channels_last)

    def read(self, path: Path) -> Batch:
        """A file whole, of whatever size."""
        tensors = stored(read_volume(path, self.channels), self.window)
        return {**{key: value[None] for key, value in tensors.items()}, "index": torch.zeros(1, dtype=torch.int64)}

    def picture(self, path: Path) -> Picture:
        return self.pictures(self.read(path))[0]

    def pictures(self, batch: Batch) -> list[Picture]:
        from cnnexp.visualize.volumes import volume_picture

        volumes = batch["volume"].cpu().float().numpy()
        ends = batch["levels"][:, :, 2:].cpu().numpy() if "levels" in batch else np.array([[[0.0, 255.0]]])
        pairs = zip(volumes, np.broadcast_to(ends, (*volumes.shape[:2], 2)), strict=True)
        return [volume_picture(_as_bytes(*pair), spacing_of(batch, place)) for place, pair in enumerate(pairs)]

    @property
    def side(self) -> int:
        return min(self.volume_size)

    def with_side(self, side: int) -> Volumes:
        return self.of_shape((self.channels, side, side, side))

    @property
    def setting(self) -> str:
        return f"data.volume_size={_listed(self.volume_size)}"

    @property
    def suffixes(self) -> frozenset[str]:
        return frozenset({".nii", ".gz", ".npy"})

    @property
    def learns(self) -> bool:
        return self.standardise == "set" and (self.mean is None or self.std is None)

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Volumes:
        """Mean and deviation of each channel over the training volumes."""
        count, total, squares = 0, torch.zeros(self.channels).double(), torch.zeros(self.channels).double()
        for place in positions.tolist():
            values = self.cut_to_window(split.batch(torch.tensor([place]))["volume"].double())
            count += values[0, 0].numel()
            total += values.sum((0, 2, 3, 4))
            squares += values.square().sum((0, 2, 3, 4))
        mean = total / count
        std = (squares / count - mean.square()).clamp(min=0).sqrt().clamp(min=_SMALLEST_DEVIATION)
        return self.with_learnt({"mean": mean.tolist(), "std": std.tolist()})

    def learnt(self) -> dict[str, Any]:
        return {"mean": list(self.mean or ()), "std": list(self.std or ())}

    def with_learnt(self, content: Mapping[str, Any]) -> Volumes:
        mean, std = (content.get(key) for key in ("mean", "std"))
        if self.standardise == "set" and not all(_numbers(one, self.channels) for one in (mean, std)):
            raise InputError("input.json: expected mean and std, a number for each channel")
        return replace(self, mean=self.mean or tuple(mean or ()), std=self.std or tuple(std or ()))

    def cut_to_window(self, values: Tensor) -> Tensor:
        return values if self.window is None else values.clamp(*self.window)


class VolumePreparation(Preparation):
    """(x - mean) / std for each channel; before it training samples are cut out, and behind it augmented."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        volumes: Volumes,
        augmentation: VolumeAugmentation | None,
        truths: Sequence[Truth],
        *,
        seed: int,
        centred: bool,
        channels_last: bool,
    ) -> None:
        super().__init__()
        known = centred and volumes.standardise == "set" and not volumes.learns
        mean, std = (volumes.mean or (0.0,), volumes.std or (1.0,)) if known else ((0.0,), (1.0,))
        self.register_buffer("mean", _by_channel(mean, volumes.channels), persistent=False)
        self.register_buffer("std", _by_channel(std, volumes.channels), persistent=False)
        self.volumes, self.augmentation, self.truths = volumes, augmentation, tuple(truths)
        self._each = centred and volumes.standardise == "volume"
        self._order = torch.channels_last_3d if channels_last else torch.contiguous_format
        self._places = Lanes({"volume_crop": 3}, seed)

    @property
    def augments(self) -> bool:
        return (self.augmentation is not None and self.augmentation.active) or self.volumes.crop_size is not None

    def keep_clean(self) -> None:
        if self.augmentation is not None and self.augmentation.noise:
            raise InputError(
                f"augmentation.noise={self.augmentation.noise:g}: of volumes the net would learn to reproduce the "
                "noise; 0 is off"
            )

    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        mean, std = self._levels(batch)
        if train and self.volumes.crop_size is not None:
            batch = self._cropped(batch, epoch)
        values = self.volumes.cut_to_window(batch["volume"].to(self.mean.dtype))
        prepared = {**batch, "volume": (values - mean) / std}
        if train and self.augmentation is not None and self.augmentation.active:
            volume, motion = self.augmentation(prepared["volume"], batch["index"], epoch)
            prepared |= {"volume": volume, **self._followed(batch, motion)}
        prepared["volume"] = prepared["volume"].contiguous(memory_format=self._order)
        return prepared

    def stored(self, batch: Batch) -> Batch:
        return batch

    def shown(self, batch: Batch) -> list[Picture]:
        mean, std = self._levels(batch)
        return self.volumes.pictures({**batch, "volume": batch["volume"] * std + mean})

    def _levels(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and deviation (B or 1, C, 1, 1, 1)."""
        if not self._each:
            return self.mean, self.std
        if "levels" not in batch:
            deviation, mean = torch.std_mean(batch["volume"].to(self.mean.dtype), (2, 3, 4), correction=0, keepdim=True)
            return mean, deviation.clamp(min=_SMALLEST_DEVIATION)
        levels = batch["levels"].to(self.mean.dtype)[..., None, None, None]
        return levels[:, :, 0], levels[:, :, 1].clamp(min=_SMALLEST_DEVIATION)

    def _cropped(self, batch: Batch, epoch: int) -> Batch:
        size, crop = batch["volume"].shape[-3:], self.volumes.crop_size
        assert crop is not None
        unit = self._places.draw(batch["index"].cpu().numpy(), epoch)["volume_crop"]
        starts = (unit * (np.array(size) - np.array(crop) + 1)).astype(np.int64)
        moved = {key: value for truth in self.truths for key, value in truth.follow(batch, Moved(starts, crop)).items()}
        return {**batch, **moved, "volume": cut(batch["volume"], starts, crop)}

    def _followed(self, batch: Batch, motion: Any) -> Batch:
        return {key: value for truth in self.truths for key, value in truth.follow(batch, motion).items()}


def stored(file: VolumeFile, window: Sequence[float] | None = None) -> dict[str, Tensor]:
    """A file as the tensors of one sample, less the first axis of a batch.

    Args:
        window: what its numbers are cut to before they are measured.
    """
    numbers = file.numbers.reshape(file.numbers.shape[0], -1).astype(np.float64)
    seen = numbers if window is None else numbers.clip(window[0], window[1])
    if window is not None:
        ends = np.tile(window, (len(seen), 1))
    elif file.numbers.dtype == np.uint8:
        ends = np.tile((0.0, 255.0), (len(seen), 1))
    else:
        ends = np.quantile(seen, _SHOWN, axis=1).T
    levels = np.concatenate([seen.mean(1)[:, None], seen.std(1)[:, None], ends], 1)
    return {
        "volume": torch.from_numpy(file.numbers),
        "spacing": torch.tensor(file.spacing, dtype=torch.float32),
        "levels": torch.from_numpy(levels.astype(np.float32)),
    }


def spacing_of(batch: Batch, place: int) -> Spacing:
    """Millimetres between the voxels of a sample along depth, height and width; zeros where they are not known."""
    if "spacing" not in batch:
        return UNKNOWN
    depth, height, width = batch["spacing"][place].tolist()
    return depth, height, width


def _as_bytes(volume: NDArray[np.float32], ends: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Numbers (C, D, H, W) as 0 to 255, of each channel those from black to white (C, 2)."""
    low, high = ends.T.reshape(2, -1, 1, 1, 1)
    part = (volume - low) / np.where(high > low, high - low, 1)
    return np.rint(part.clip(0, 1) * 255).astype(np.uint8)


def _by_channel(values: Sequence[float], channels: int) -> Tensor:
    each = values if len(values) == channels else [values[0]] * channels
    return torch.tensor(each).float().view(1, -1, 1, 1, 1)


def _numbers(values: Any, count: int) -> bool:
    return (
        isinstance(values, (list, tuple)) and len(values) == count and all(isinstance(v, (int, float)) for v in values)
    )


def _listed(values: Sequence[float]) -> str:
    return f"[{','.join(f'{value:g}' for value in values)}]"
