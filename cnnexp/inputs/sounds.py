"""Sounds: float32 (B, L) under ``sound``, filled up with zeros, and int64 (B,) under ``sound_length``: true samples.

Nets take features of them, computed on the batch where it lies: pictures of time and frequency, or the waveform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.sounds import SoundAugmentation
from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Input, Picture, Samples, Shape, Truth
from cnnexp.inputs.sound_features import Scale, Window, mel_edges
from cnnexp.inputs.sound_files import SOUND_SUFFIXES, at_rate, fitted, read_sound, wav_bytes
from cnnexp.inputs.sound_preparation import FeaturesOf, SoundPreparation

Kind = Literal["waveform", "spectrogram", "log_energy", "mel", "log_mel", "mfcc"]
_SMALLEST_DEVIATION = 1e-8
_CHUNK = 256


@dataclass(frozen=True)
class Sounds(Input):
    """Sounds of up to one length, at one rate, in one channel.

    Rows of features run from the highest frequency (or coefficient) down, as they are drawn, and columns are frames.
    Each row of each channel is standardised by the training samples; frames behind a sound's end are then 0.

    Args:
        rate_hz: samples a second; files of other rates are resampled. length: samples of a stored sound; longer ones
            are cut at the end, shorter ones filled up.
        features: waveform, or the power spectrogram |STFT|²; log_energy, that in dB; mel, its energies in bands even on
            the mel scale; log_mel, those in dB; mfcc, the cosine transform of those.
        deltas: 1 adds the slopes over time as a channel, 2 also those of the slopes.
        window_ms: length of a frame. hop_ms: from one frame to the next. window: hann, hamming or rectangular.
        n_fft: samples of a transform, zeros around the window; null is the least power of two that holds it.
        n_mels: bands. low_hz, high_hz: where they begin and end; null is half the rate.
        mel_scale: HTK's formula, or Slaney's (linear up to 1 kHz), as librosa has it. mel_norm: slaney gives each
            triangle one area; null gives each the height 1.
        coefficients: of mfcc, from the 0th on.
        log_floor: the least energy that a logarithm is taken of; a full-scale sine has n_fft²/16 in its bin with hann.
        image_size: height and width that features are stretched to, for nets that take no small pictures; null leaves
            them as they are.
        mean, std: of each row of each channel, from the lowest frequency up; null is learnt from the training samples.

    Raises:
        InputError: numbers that do not go together.
    """

    rate_hz: int
    length: int
    features: Kind = "log_mel"
    deltas: int = 0
    window_ms: float = 25.0
    hop_ms: float = 10.0
    window: Window = "hann"
    n_fft: int | None = None
    n_mels: int = 40
    low_hz: float = 0.0
    high_hz: float | None = None
    mel_scale: Scale = "htk"
    mel_norm: Literal["slaney"] | None = None
    coefficients: int = 20
    log_floor: float = 1e-10
    image_size: tuple[int, int] | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None

    name: ClassVar[str] = "sounds"
    noun: ClassVar[str] = "sound"
    notation: ClassVar[str] = "CxHxW"
    sides: ClassVar[tuple[int, ...]] = (8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 256, 299, 331, 384, 512, 1024, 2048,
                                        4096, 8192, 16384)  # fmt: skip
    becomes: ClassVar[tuple[str, Mapping[str, str], str]] = ("features", {"waveform": "signals"}, "pictures")

    def __post_init__(self) -> None:
        if problems := _problems(self):
            raise InputError(*problems)

    # --- sizes -------------------------------------------------------------------------------------------------------

    @property
    def flat(self) -> bool:
        """Whether it is the waveform, of which nets for signals are made."""
        return self.features == "waveform"

    @property
    def window_samples(self) -> int:
        return max(1, round(self.window_ms * self.rate_hz / 1000))

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return max(1, round(self.hop_ms * self.rate_hz / 1000))

    @property
    def transformed(self) -> int:
        """Samples of a transform."""
        return self.n_fft if self.n_fft is not None else 1 << (self.window_samples - 1).bit_length()

    @property
    def top_hz(self) -> float:
        return self.rate_hz / 2 if self.high_hz is None else self.high_hz

    @property
    def rows(self) -> int:
        """Of the features; 1 for the waveform."""
        bins = self.transformed // 2 + 1
        known = {"waveform": 1, "spectrogram": bins, "log_energy": bins, "mfcc": self.coefficients}
        return known.get(self.features, self.n_mels)

    @property
    def columns(self) -> int:
        """Frames; of the waveform its samples."""
        return self.length if self.flat else 1 + self.length // self.hop

    @property
    def shape(self) -> Shape:
        if self.flat:
            return (1, self.length)
        return (1 + self.deltas, *(self.image_size or (self.rows, self.columns)))

    def told(self) -> dict[str, Any]:
        if self.flat:
            return {"in_channels": 1, "length": self.length, "sequence": False}
        return {"in_channels": self.shape[0], "image_size": self.shape[1:]}

    def of_shape(self, shape: Shape) -> Sounds:
        wanted = ("channels x length, for example 1x8000", "channels x height x width, for example 1x40x81")
        if len(shape) != len(self.shape) or min(shape) < 1 or (self.flat and shape[0] > 1):
            raise InputError(f"{'x'.join(map(str, shape))}: expected {wanted[not self.flat]}")
        if self.flat:
            return replace(self, length=shape[1])
        channels, height, width = shape
        return replace(self, deltas=channels - 1, image_size=(height, width), mean=(0.0,), std=(1.0,))

    @property
    def side(self) -> int:
        return min(self.shape[1:])

    def with_side(self, side: int) -> Sounds:
        return self.of_shape((1, side) if self.flat else (self.shape[0], side, side))

    @property
    def setting(self) -> str:
        if self.flat:
            return f"data.length={self.length}"
        return f"data.image_size=[{self.shape[1]},{self.shape[2]}]"

    # --- samples -----------------------------------------------------------------------------------------------------

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        return (batch["sound_features"],)

    def preparation(
        self, augmentation: Any, truths: Sequence[Truth], *, seed: int, centred: bool, channels_last: bool
    ) -> SoundPreparation:
        if not centred:
            raise InputError(
                "task: gives samples back, which features of sounds have no scale for; take classification"
            )
        return SoundPreparation(self, augmentation, channels_last=channels_last)

    def problems(self, augmentation: Any, truths: Sequence[Truth], mixes: bool) -> list[str]:
        if not isinstance(augmentation, SoundAugmentation):
            return []
        return augmentation.unfit(self.features, self.rows, self.columns)

    def read(self, path: Path) -> Batch:
        file = read_sound(path)
        return self.stored_as(at_rate(file.sound, file.rate_hz, self.rate_hz), path)

    def stored_as(self, sound: NDArray[np.float32], path: Path) -> Batch:
        """A sound of the right rate as a batch of one.

        Raises:
            InputError: it has no sample.
        """
        if not len(sound):
            raise InputError(f"{path}: holds no sound, its length is 0")
        return {
            "sound": torch.from_numpy(fitted(sound, self.length))[None],
            "sound_length": torch.tensor([min(len(sound), self.length)]),
            "index": torch.zeros(1, dtype=torch.int64),
        }

    def picture(self, path: Path) -> Picture:
        return self.pictures(self.read(path))[0]

    def pictures(self, batch: Batch) -> list[Picture]:
        from cnnexp.visualize.sounds import sound_picture

        look = self._drawn
        sounds = batch["sound"].cpu().float()
        bands = FeaturesOf(look)(sounds)[:, 0].numpy()
        edges = mel_edges(look.n_mels, look.low_hz, look.top_hz, look.mel_scale)
        pairs = zip(sounds.numpy(), bands, strict=True)
        return [sound_picture(sound, band, edges[1:-1], self.rate_hz) for sound, band in pairs]

    @cached_property
    def _drawn(self) -> Sounds:
        """What is drawn for a person, whatever the net takes."""
        return replace(self, features="log_mel", deltas=0, image_size=None, mean=None, std=None)

    @property
    def pictured(self) -> bool:
        return not self.flat

    def blank(self, batch: Batch) -> Batch:
        return {**batch, "sound": torch.zeros_like(batch["sound"])}

    def heard(self, batch: Batch) -> list[bytes]:
        pairs = zip(batch["sound"].cpu().float().numpy(), batch["sound_length"].tolist(), strict=True)
        return [wav_bytes(sound[:length], self.rate_hz) for sound, length in pairs]

    @property
    def suffixes(self) -> frozenset[str]:
        return SOUND_SUFFIXES

    # --- what is learnt ----------------------------------------------------------------------------------------------

    @property
    def learns(self) -> bool:
        return self.mean is None or self.std is None

    def learn(self, split: Samples, positions: NDArray[np.int64]) -> Sounds:
        """Mean and deviation of each row over the frames of the training sounds, without those behind their ends."""
        make, count = FeaturesOf(self), 0
        total, squares = (torch.zeros(make.channels, self.rows, dtype=torch.float64) for _ in range(2))
        for part in torch.from_numpy(positions).split(_CHUNK):
            batch = split.batch(part)
            there = make.there(torch.zeros_like(batch["sound_length"]), batch["sound_length"])
            values = make(batch["sound"].float()).double() * there
            count += int(there.sum())
            total += values.sum((0, 3))
            squares += values.square().sum((0, 3))
        mean = total / count
        std = (squares / count - mean.square()).clamp(min=0).sqrt().clamp(min=_SMALLEST_DEVIATION)
        return self.with_learnt({"mean": mean.flatten().tolist(), "std": std.flatten().tolist()})

    def learnt(self) -> dict[str, Any]:
        return {"mean": list(self.mean or ()), "std": list(self.std or ())}

    def with_learnt(self, content: Mapping[str, Any]) -> Sounds:
        given, count = [content.get(key) for key in ("mean", "std")], (1 + self.deltas) * self.rows
        if not all(isinstance(one, (list, tuple)) and len(one) in (1, count) for one in given):
            raise InputError(f"input.json: expected mean and std, a number for each of {count} rows of the features")
        mean, std = given
        return replace(self, mean=self.mean or tuple(mean or ()), std=self.std or tuple(std or ()))


def _problems(own: Sounds) -> list[str]:
    """A line for each number that is none, or goes not with another."""
    numbers = {"rate_hz": own.rate_hz, "length": own.length, "n_mels": own.n_mels, "coefficients": own.coefficients}
    found = [f"data.{key}={value}: expected a number of at least 1" for key, value in numbers.items() if value < 1]
    sizes = {"window_ms": own.window_ms, "hop_ms": own.hop_ms, "log_floor": own.log_floor}
    found += [f"data.{key}={value:g}: expected a number above 0" for key, value in sizes.items() if not value > 0]
    if own.deltas < 0:
        found.append(f"data.deltas={own.deltas}: expected 0, 1 (slopes) or 2 (and their slopes)")
    if own.flat and own.deltas:
        found.append(f"data.deltas={own.deltas}: features of frames have slopes, and a waveform has none; take 0")
    if own.flat and own.image_size is not None:
        found.append("data.image_size: a waveform has a length and no height; take null")
    if own.image_size is not None and min(own.image_size) < 1:
        found.append(f"data.image_size={list(own.image_size)}: expected height and width of at least 1, or null")
    if found:
        return found
    if own.transformed < own.window_samples:
        found.append(
            f"data.n_fft={own.n_fft}: shorter than the window of {own.window_samples} samples (data.window_ms="
            f"{own.window_ms:g}); take null, or at least as many"
        )
    if not 0 <= own.low_hz < own.top_hz <= own.rate_hz / 2:
        found.append(
            f"data.low_hz={own.low_hz:g}, data.high_hz={own.top_hz:g}: expected a lower and a higher one from 0 to "
            f"{own.rate_hz / 2:g}, half of data.rate_hz"
        )
    if own.features == "mfcc" and own.coefficients > own.n_mels:
        found.append(f"data.coefficients={own.coefficients}: there are at most data.n_mels={own.n_mels}")
    return found
