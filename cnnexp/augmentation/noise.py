"""Gaussian noise that is a function of the sample and the pixel, on any device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from cnnexp.augmentation.lanes import Numbers, chosen
from cnnexp.draws import fold


@dataclass(frozen=True)
class Noise:
    """A Gaussian number added to every value of a picture.

    Args:
        sigma: standard deviation, as a part of the range from black to white.
    """

    sigma: float
    probability: float
    lanes: ClassVar[int] = 2

    @property
    def active(self) -> bool:
        return bool(self.sigma and self.probability)

    def add(self, image: Tensor, u: Numbers, white: Tensor) -> Tensor:
        """Normalised pictures (B, C, H, W), changed in place.

        Args:
            white: (1, C, 1, 1), the distance from black to white in each normalised channel.
        """
        keys = torch.from_numpy((u[:, 1] * 2**31).astype(np.int32)).to(image.device)
        size = (self.sigma * chosen(u, self.probability)).astype(np.float32)
        numbers = gaussian(keys, image[0].numel()).view(image.shape).to(image.dtype)
        numbers *= torch.from_numpy(size).to(image)[:, None, None, None]
        return image.addcmul_(numbers, white.to(image.dtype))


def gaussian(keys: Tensor, count: int) -> Tensor:
    """Standard normal float32 numbers (B, count) from int32 keys (B,), by place.

    The bits come from whole numbers and are the same on every device; the logarithm and cosine agree to rounding.
    """
    half = (count + 1) // 2
    unit = (random_bits(keys, 2 * half).float() + 0.5) * 2.0**-24
    radius = unit[:, :half].log().mul_(-2).sqrt_()
    angle = unit[:, half:].mul_(2 * np.pi)
    return torch.cat([radius * angle.cos(), radius * angle.sin()], 1)[:, :count]


def random_bits(keys: Tensor, count: int) -> Tensor:
    """Whole numbers of 24 bits, int32 (B, count), from int32 keys (B,), by place."""
    place = torch.arange(count, dtype=torch.int32, device=keys.device)
    return (_scramble(_scramble(place)[None] ^ keys[:, None]) >> 8) & 0xFFFFFF


def sample_keys(apart: int, seed: int, epoch: int | None, index: Tensor) -> Tensor:
    """A key for each sample, int32 (B,), on the device of its index (B,): a function of (seed, epoch, index).

    Args:
        apart: keeps these draws from others. epoch: None for an evaluation, whose draws are the same in every run.
    """
    begun = fold(np.zeros((), np.uint64), apart, *((0,) if epoch is None else (1, seed, epoch)))
    keys = (fold(begun, index.cpu().numpy()) >> np.uint64(33)).astype(np.int32)
    return torch.from_numpy(keys).to(index.device)


def _scramble(x: Tensor) -> Tensor:
    """A bijection of 32 bits in which every bit depends on every other (Wellons 2018, "lowbias32")."""
    x = (x ^ ((x >> 16) & 0xFFFF)) * 0x7FEB352D
    x = (x ^ ((x >> 15) & 0x1FFFF)) * (0x846CA68B - 2**32)  # as a signed number
    return x ^ ((x >> 16) & 0xFFFF)
