"""The augmentation of sounds: moved in time, louder or softer, with noise, and parts of their features left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.augmentation.base import Augmenting
from cnnexp.augmentation.lanes import Lanes, chosen, symmetric
from cnnexp.augmentation.noise import gaussian
from cnnexp.errors import InputError

MOST_MASKS = 8
_LANES = {
    "sound_shift": 1, "sound_gain": 1, "sound_noise": 3, "sound_time": 2 * MOST_MASKS, "sound_frequency": 2 * MOST_MASKS
}  # fmt: skip
_SMALLEST_POWER = 1e-12


class SoundAugmentation(Augmenting):
    """Draws a shift, a gain and noise for every sound, and what is masked of its standardised features.

    The masks are SpecAugment's (Park et al. 2019, section 2, without its warping of time): a width from 0 to the given
    one and a place, each even; what they cover becomes 0, the mean of the row. A draw is a function of (seed, epoch,
    index) alone.

    Args:
        seed: of the run.
        shift_ms: that a sound is moved by at most, either way; what leaves the ends is lost. gain_db: that it becomes
            louder or softer by at most.
        noise_db: lowest and highest ratio of the sound's power to that of white Gaussian noise; null adds none.
            noise_probability: part of the sounds that it meets.
        time_masks: how many. time_width: frames that one covers at most. frequency_masks: how many. frequency_width:
            bands that one covers at most.

    Raises:
        InputError: a number is out of its range.
    """

    def __init__(
        self,
        *,
        seed: int,
        shift_ms: float = 0.0,
        gain_db: float = 0.0,
        noise_db: Sequence[float] | None = None,
        noise_probability: float = 1.0,
        time_masks: int = 0,
        time_width: int = 0,
        frequency_masks: int = 0,
        frequency_width: int = 0,
    ) -> None:
        self.shift_ms, self.gain_db, self.noise_db, self.noise_probability = (
            shift_ms, gain_db, noise_db, noise_probability,
        )  # fmt: skip
        self.time, self.frequency = (time_masks, time_width), (frequency_masks, frequency_width)
        self._refuse()
        self._lanes = Lanes(_LANES, seed)

    @property
    def active(self) -> bool:
        noise = self.noise_db is not None and self.noise_probability
        return bool(self.shift_ms or self.gain_db or noise or all(self.time) or all(self.frequency))

    def unfit(self, features: str, rows: int, columns: int) -> list[str]:
        """A line for each mask that such features cannot have.

        Args:
            features: as ``data.features`` has it, of so many rows and columns.
        """
        found = []
        for name, (count, width), most in (("time", self.time, columns), ("frequency", self.frequency, rows)):
            if not count or not width:
                continue
            if features == "waveform":
                found.append(f"augmentation.{name}_masks={count}: are of features, and a waveform has none; 0 is off")
            elif name == "frequency" and features == "mfcc":
                found.append(
                    f"augmentation.frequency_masks={count}: the rows of data.features=mfcc are no frequencies; take "
                    "data.features=log_mel, or 0"
                )
            elif width > most:
                found.append(f"augmentation.{name}_width={width}: the features have {most}; take at most so many")
        return found

    @torch.no_grad()
    def sounds(
        self, sound: Tensor, length: Tensor, index: Tensor, epoch: int, rate_hz: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Sounds (B, L) changed, and where each now begins and ends (B,).

        Args:
            length: samples of each (B,), from the first on. index: of the samples (B,).
        """
        numbers = self._lanes.draw(index.cpu().numpy(), epoch)
        if self.noise_db is not None:
            sound = self._noisy(sound, length, numbers["sound_noise"], self.noise_db)
        if self.gain_db:
            factor = 10 ** (self.gain_db * symmetric(numbers["sound_gain"][:, 0]) / 20)
            sound = sound * torch.from_numpy(factor).to(sound)[:, None]
        begins, ends = torch.zeros_like(length), length
        if self.shift_ms:
            steps = np.rint(symmetric(numbers["sound_shift"][:, 0]) * self.shift_ms * rate_hz / 1000).astype(np.int64)
            by = torch.from_numpy(steps).to(length.device)
            sound = _moved(sound, by)
            begins, ends = by.clamp(min=0), (length + by).clamp(max=sound.shape[1])
        return sound, begins, ends

    @torch.no_grad()
    def masked(self, features: Tensor, index: Tensor, epoch: int) -> Tensor:
        """Standardised features (B, C, rows, columns), 0 under the masks."""
        numbers = self._lanes.draw(index.cpu().numpy(), epoch)
        for name, (count, width), axis in (("sound_time", self.time, 3), ("sound_frequency", self.frequency, 2)):
            for place in range(count if width else 0):
                hidden = _covered(numbers[name][:, 2 * place : 2 * place + 2], width, features.shape[axis])
                kept = torch.from_numpy(~hidden).to(features.device)
                features = features * (kept[:, None, None] if axis == 3 else kept[:, None, :, None])
        return features

    def _noisy(self, sound: Tensor, length: Tensor, u: NDArray[np.float64], ratio_db: Sequence[float]) -> Tensor:
        """With noise over the whole of each; what lies behind its end is no part of its features."""
        power = sound.square().sum(1) / length.clamp(min=1)
        low, high = ratio_db
        part = chosen(u, self.noise_probability) * 10 ** (-(low + u[:, 1] * (high - low)) / 20)
        size = torch.from_numpy(part).to(sound) * power.clamp(min=_SMALLEST_POWER).sqrt()
        keys = torch.from_numpy((u[:, 2] * 2**31).astype(np.int32)).to(sound.device)
        place = torch.arange(sound.shape[1], device=sound.device)
        there = place[None] < length[:, None]
        return sound + size[:, None] * gaussian(keys, sound.shape[1]).to(sound) * there

    def _refuse(self) -> None:
        given = {"shift_ms": self.shift_ms, "gain_db": self.gain_db}
        given |= {"time_width": self.time[1], "frequency_width": self.frequency[1]}
        wrong = [
            f"augmentation.{name}={value:g}: expected a number of at least 0"
            for name, value in given.items()
            if not 0 <= value < float("inf")
        ]
        wrong += [
            f"augmentation.{name}_masks={count}: expected a number from 0 to {MOST_MASKS}"
            for name, (count, _) in (("time", self.time), ("frequency", self.frequency))
            if not 0 <= count <= MOST_MASKS
        ]
        wrong += [
            f"augmentation.{name}_masks={count}: cover nothing, as augmentation.{name}_width=0; give a width"
            for name, (count, width) in (("time", self.time), ("frequency", self.frequency))
            if count and not width
        ]
        if not 0 <= self.noise_probability <= 1:
            wrong.append(f"augmentation.noise_probability={self.noise_probability:g}: expected a number from 0 to 1")
        if self.noise_db is not None and (len(self.noise_db) != 2 or not self.noise_db[0] <= self.noise_db[1]):
            wrong.append(
                f"augmentation.noise_db={list(self.noise_db)}: expected the lowest and the highest, as [10,30]"
            )
        if wrong:
            raise InputError(*wrong)


def _moved(sound: Tensor, by: Tensor) -> Tensor:
    """Each of (B, L) later by so many samples (B,), or earlier; zeros come in."""
    length = sound.shape[1]
    source = torch.arange(length, device=sound.device)[None] - by[:, None]
    there = (source >= 0) & (source < length)
    return sound.gather(1, source.clamp(0, length - 1)) * there


def _covered(u: NDArray[np.float64], width: int, size: int) -> NDArray[np.bool_]:
    """Which of ``size`` places lie under a mask, (B, size), by a number for its width and one for its place."""
    own = np.floor(u[:, 0] * (min(width, size) + 1)).astype(np.int64)
    begins = np.floor(u[:, 1] * (size - own + 1)).astype(np.int64)
    place = np.arange(size)
    return (place >= begins[:, None]) & (place < (begins + own)[:, None])
