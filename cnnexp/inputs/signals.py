"""Signals: float32 (B, C, L) under ``signal``: some channels over time, such as the leads of an ECG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.signals import SignalAugmentation
from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Input, Picture, Preparation, Samples, Shape, Truth

_SMALLEST_DEVIATION = 1e-8
_CHUNK = 512


@dataclass(frozen=True)
class Signals(Input):
    """Signals of one length.

    Args:
        channels: of a signal. length: samples of each channel.
        mean, std: per channel, in the signal's own unit; null is learnt from the training samples.
        sequence: whether there is an answer for each part of a signal and not for the whole.
        every: samples of a part.
    """

    channels: int
    length: int
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    sequence: bool = False
    every: int | None = None

    name: ClassVar[str] = "signals"
    noun: ClassVar[str] = "signal"
    notation: ClassVar[str] = "CxL"
    sides: ClassVar[tuple[int, ...]] = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)

    @property
    def shape(self) -> Shape:
        return (self.channels, self.length)

    def told(self) -> dict[str, Any]:
        return {"in_channels": self.channels, "length": self.length, "sequence": self.sequence}

    @property
    def demands(self) -> frozenset[str]:
        return frozenset({"sequence"} if self.sequence else ())

    def parts_problem(self, answers: int) -> str | None:
        if not self.sequence or self.every is None or answers == self.length // self.every:
            return None
        wanted = self.length // self.every
        return (
            f"data.every={self.every}: the net has {answers} answers for {self.length} samples and the data {wanted} "
            f"labels; set data.every={self.length // answers}"
        )

    def of_shape(self, shape: Shape) -> Signals:
        if len(shape) != 2 or min(shape) < 1:
            raise InputError(f"{'x'.join(map(str, shape))}: expected channels x length, for example 1x5000")
        channels, length = shape
        return replace(self, channels=channels, length=length, mean=(0.0,) * channels, std=(1.0,) * channels)

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch["signal"],)

    def preparation(
        self, augmentation: Any, truths: Sequence[Truth], *, seed: int, centred: bool, channels_last: bool
    ) -> SignalPreparation:
        mean, std = ((0.0,), (1.0,)) if self.learns or not centred else (self.mean or (0.0,), self.std or (1.0,))
        return SignalPreparation(_each(mean, self.channels), _each(std, self.channels), augmentation)

    def read(self, path: Path) -> Batch:
        signal = read_signal(path)
        if signal.shape != self.shape:
            raise InputError(
                f"{path}: {signal.shape[0]} channels of {signal.shape[1]} samples; the net takes {self.described()}"
            )
        return {"signal": torch.from_numpy(signal)[None], "index": torch.zeros(1, dtype=torch.int64)}

    def picture(self, path: Path) -> Picture:
        return self.pictures(self.read(path))[0]

    def pictures(self, batch: Batch) -> list[Picture]:
        from cnnexp.visualize.signals import signal_picture

        return [signal_picture(one) for one in batch["signal"].cpu().float().numpy()]

    @property
    def side(self) -> int:
        return self.length

    def with_side(self, side: int) -> Signals:
        return self.of_shape((self.channels, side))

    @property
    def setting(self) -> str:
        return f"data.length={self.length}"

    @property
    def suffixes(self) -> frozenset[str]:
        return frozenset({".csv", ".txt", ".npy"})

    @property
    def learns(self) -> bool:
        return self.mean is None or self.std is None

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Signals:
        """Mean and deviation of each channel over the training signals."""
        count, total, squares = 0, torch.zeros(self.channels).double(), torch.zeros(self.channels).double()
        for part in torch.from_numpy(positions).split(_CHUNK):
            values = split.batch(part)["signal"].double()
            count += values.shape[0] * values.shape[2]
            total += values.sum((0, 2))
            squares += values.square().sum((0, 2))
        mean = total / count
        std = (squares / count - mean.square()).clamp(min=0).sqrt().clamp(min=_SMALLEST_DEVIATION)
        return self.with_learnt({"mean": mean.tolist(), "std": std.tolist()})

    def learnt(self) -> dict[str, Any]:
        return {"mean": list(self.mean or ()), "std": list(self.std or ())}

    def with_learnt(self, content: Mapping[str, Any]) -> Signals:
        mean, std = content.get("mean"), content.get("std")
        if not (_numbers(mean, self.channels) and _numbers(std, self.channels)):
            raise InputError("input.json: expected mean and std, a number for each channel")
        return replace(self, mean=self.mean or tuple(mean or ()), std=self.std or tuple(std or ()))


class SignalPreparation(Preparation):
    """(x - mean) / std for each channel; training signals are augmented after that, where they are to be."""

    mean: Tensor
    std: Tensor

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], augmentation: SignalAugmentation | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1), persistent=False)
        self.augmentation = augmentation

    @property
    def augments(self) -> bool:
        return self.augmentation is not None and self.augmentation.active

    def keep_clean(self) -> None:
        if self.augmentation is not None and self.augmentation.noise:
            raise InputError(
                f"augmentation.noise={self.augmentation.noise:g}: of signals the net would learn to reproduce the "
                "noise; 0 is off"
            )

    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        signal = (batch["signal"].to(self.mean.dtype) - self.mean) / self.std
        if train and self.augmentation is not None:
            signal = self.augmentation(signal, batch["index"], epoch)
        return {**batch, "signal": signal}

    def stored(self, batch: Batch) -> Batch:
        return batch

    def shown(self, batch: Batch) -> list[Picture]:
        from cnnexp.visualize.signals import signal_picture

        return [signal_picture(one) for one in (batch["signal"] * self.std + self.mean).cpu().float().numpy()]


def read_signal(path: Path) -> NDArray[np.float32]:
    """A file as float32 (C, L): .npy of that shape or (L,); text with a column for each channel, a row for each sample.

    Raises:
        InputError: it is missing, or not a table of finite numbers.
    """
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            text = path.read_text(encoding="utf-8").replace(",", " ").replace(";", " ")
            values = np.array([[float(word) for word in line.split()] for line in text.splitlines() if line.strip()]).T
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a table of numbers, a row for each sample ({error})") from error
    values = np.atleast_2d(values)
    if values.ndim != 2 or not values.size or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise InputError(f"{path}: expected finite numbers, a column for each channel and a row for each sample")
    return values.astype(np.float32)


def _each(values: Sequence[float], channels: int) -> tuple[float, ...]:
    return tuple(values) if len(values) == channels else (float(values[0]),) * channels


def _numbers(values: Any, count: int) -> bool:
    return (
        isinstance(values, (list, tuple)) and len(values) == count and all(isinstance(v, (int, float)) for v in values)
    )
