"""The augmentation of signals: shifted in time, scaled, with noise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cnnexp.augmentation.base import Augmenting
from cnnexp.augmentation.lanes import Lanes, symmetric
from cnnexp.augmentation.noise import gaussian
from cnnexp.errors import InputError

_LANES = {"signal_shift": 1, "signal_scale": 1, "signal_noise": 1}


class SignalAugmentation(Augmenting):
    """Draws a shift, a factor and noise for every signal, the same for all of its channels but the noise.

    Args:
        seed: of the run.
        shift: part of the length that a signal is moved by at most, either way; zeros come in.
        scale: 0.2 is a factor between 0.8 and 1.2. noise: standard deviation of Gaussian noise, in deviations.

    Raises:
        InputError: a number is out of its range.
    """

    def __init__(self, *, seed: int, shift: float = 0.0, scale: float = 0.0, noise: float = 0.0) -> None:
        wrong = [
            f"augmentation.{name}={value:g}: expected a number of at least 0 and {'at most 1' if most else 'finite'}"
            for name, value, most in (("shift", shift, 1), ("scale", scale, 1), ("noise", noise, None))
            if value < 0 or (most is not None and value > most)
        ]
        if wrong:
            raise InputError(*wrong)
        self.shift, self.scale, self.noise = shift, scale, noise
        self._lanes = Lanes(_LANES, seed)

    @property
    def active(self) -> bool:
        return bool(self.shift or self.scale or self.noise)

    @torch.no_grad()
    def __call__(self, signal: Tensor, index: Tensor, epoch: int) -> Tensor:
        """Normalised signals (B, C, L) of the samples with these indices (B,), changed."""
        if not self.active:
            return signal
        numbers = self._lanes.draw(index.cpu().numpy(), epoch)
        if self.shift:
            signal = self._moved(signal, symmetric(numbers["signal_shift"][:, 0]))
        if self.scale:
            factor = 1 + self.scale * symmetric(numbers["signal_scale"][:, 0])
            signal = signal * torch.from_numpy(factor).to(signal)[:, None, None]
        if self.noise:
            keys = torch.from_numpy((numbers["signal_noise"][:, 0] * 2**31).astype(np.int32)).to(signal.device)
            signal = signal + self.noise * gaussian(keys, signal[0].numel()).view(signal.shape).to(signal)
        return signal

    def _moved(self, signal: Tensor, by: np.ndarray) -> Tensor:
        length = signal.shape[-1]
        steps = torch.from_numpy(np.rint(by * self.shift * length).astype(np.int64)).to(signal.device)
        source = torch.arange(length, device=signal.device)[None] - steps[:, None]
        there = (source >= 0) & (source < length)
        picked = signal.gather(2, source.clamp(0, length - 1)[:, None].expand_as(signal))
        return picked * there[:, None]
