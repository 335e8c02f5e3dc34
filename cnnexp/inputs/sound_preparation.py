"""From stored sounds to what a net takes: features of a batch, computed where it lies, and standardised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.augmentation.sounds import SoundAugmentation
from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Picture, Preparation
from cnnexp.inputs.sound_features import (
    cosines,
    decibels,
    mel_filters,
    power_spectrogram,
    window_of,
    with_deltas,
)

if TYPE_CHECKING:
    from cnnexp.inputs.sounds import Sounds

_DRAWN_PX = 240


class FeaturesOf(nn.Module):
    """Sounds (B, L) → features (B, channels, rows, columns) as ``Sounds`` says, rows from the lowest frequency up."""

    window: Tensor
    filters: Tensor
    cosines: Tensor

    def __init__(self, sounds: Sounds) -> None:
        super().__init__()
        self.sounds, self.channels = sounds, 1 + sounds.deltas
        window = window_of(sounds.window, sounds.window_samples, sounds.transformed)
        self.register_buffer("window", window, persistent=False)
        if sounds.features in ("mel", "log_mel", "mfcc"):
            self.register_buffer("filters", _filters(sounds), persistent=False)
        if sounds.features == "mfcc":
            self.register_buffer("cosines", cosines(sounds.coefficients, sounds.n_mels), persistent=False)

    def forward(self, sound: Tensor) -> Tensor:
        own = self.sounds
        if own.flat:
            return sound[:, None, None]
        values = power_spectrogram(sound, self.window, own.hop)
        if own.features in ("mel", "log_mel", "mfcc"):
            # as they lie in memory, of all sounds at once: half the time of a product for each
            values = F.linear(values.transpose(1, 2), self.filters).transpose(1, 2)
        if own.features in ("log_energy", "log_mel", "mfcc"):
            values = decibels(values, own.log_floor)
        if own.features == "mfcc":
            values = self.cosines @ values
        return with_deltas(values, own.deltas)

    def there(self, begins: Tensor, ends: Tensor) -> Tensor:
        """Which columns lie within the sounds, bool (B, 1, 1, columns), of their first samples and those behind the
        last, each (B,)."""
        step = 1 if self.sounds.flat else self.sounds.hop
        place = step * torch.arange(self.sounds.columns, device=ends.device)
        return ((place >= begins[:, None]) & (place < ends[:, None]))[:, None, None]


class SoundPreparation(Preparation):
    """Sounds → standardised features. In training the sounds are augmented before, and masked behind it."""

    mean: Tensor
    std: Tensor

    def __init__(self, sounds: Sounds, augmentation: SoundAugmentation | None, *, channels_last: bool) -> None:
        super().__init__()
        self.sounds, self.augmentation, self.make = sounds, augmentation, FeaturesOf(sounds)
        shape = (1 + sounds.deltas, sounds.rows, 1)
        mean, std = ((0.0,), (1.0,)) if sounds.learns else (sounds.mean or (0.0,), sounds.std or (1.0,))
        for name, values in (("mean", mean), ("std", std)):
            each = torch.tensor(values, dtype=torch.float32).expand(shape[0] * shape[1]).reshape(shape)
            self.register_buffer(name, each.clone(), persistent=False)
        self._order = torch.channels_last if channels_last and not sounds.flat else torch.contiguous_format

    @property
    def augments(self) -> bool:
        return self.augmentation is not None and self.augmentation.active

    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        sound, ends = batch["sound"].to(self.mean.dtype), batch["sound_length"]
        begins, drawn = torch.zeros_like(ends), self.augmentation if train and self.augments else None
        with torch.autocast(sound.device.type, enabled=False):
            if drawn is not None:
                sound, begins, ends = drawn.sounds(sound, ends, batch["index"], epoch, self.sounds.rate_hz)
            values = (self.make(sound) - self.mean) / self.std * self.make.there(begins, ends)
            if drawn is not None:
                values = drawn.masked(values, batch["index"], epoch)
            return {**batch, "sound_features": self._shaped(values)}

    def _shaped(self, values: Tensor) -> Tensor:
        if self.sounds.flat:
            return values[:, 0]
        values = values.flip(2)
        if self.sounds.image_size is not None:
            values = F.interpolate(values, self.sounds.image_size, mode="bilinear", antialias=True)
        return values.contiguous(memory_format=self._order)

    def stored(self, batch: Batch) -> Batch:
        return batch

    def shown(self, batch: Batch) -> list[Picture]:
        """Pixel for pixel what the net is given, of several channels the first."""
        values = batch["sound_features"].cpu().float().numpy()
        if self.sounds.flat:
            from cnnexp.visualize.signals import signal_picture

            return [signal_picture(one) for one in values]
        from cnnexp.visualize.sounds import features_picture

        return [features_picture(one[0]) for one in values]

    def drawn(self, batch: Batch) -> list[Picture]:
        shown = self.shown(batch)
        factor = max(1, _DRAWN_PX // shown[0].shape[1])
        return shown if self.sounds.flat else [one.repeat(factor, 0).repeat(factor, 1) for one in shown]


def _filters(sounds: Sounds) -> Tensor:
    """The triangles of the mel bands.

    Raises:
        InputError: some are so narrow that no frequency of the transform lies in them.
    """
    made = mel_filters(
        sounds.n_mels,
        sounds.transformed,
        sounds.rate_hz,
        sounds.low_hz,
        sounds.top_hz,
        sounds.mel_scale,
        equal_areas=sounds.mel_norm == "slaney",
    )
    empty = int((made.amax(1) == 0).sum())
    if empty:
        raise InputError(
            f"data.n_mels={sounds.n_mels}: {empty} bands are so narrow that no frequency of data.n_fft="
            f"{sounds.transformed} lies in them; take fewer bands, or data.n_fft={2 * sounds.transformed}"
        )
    return made
