"""What tasks have whose nets make pictures of noise."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from cnnexp.augmentation.noise import gaussian, sample_keys
from cnnexp.inputs.base import Picture

_KEY = 0x6E1  # keeps these draws apart from those of training


@runtime_checkable
class Generating(Protocol):
    """A task that answers without being given a picture."""

    def generate(self, count: int, seed: int) -> list[Picture]:
        """Pictures made up, uint8 (H, W, C): the i-th is a function of i and the seed."""
        ...


def noise_of(count: int, size: int, seed: int) -> Tensor:
    """Standard normal numbers, float32 (count, size): a row is a function of its place and the seed."""
    return gaussian(sample_keys(_KEY, seed, 0, torch.arange(count)), size)
