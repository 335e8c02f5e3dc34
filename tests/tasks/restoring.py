"""Tiny tasks that restore pictures, for their tests."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.augmentation.engine import Augmentation
from cnnexp.losses.squared_error import SquaredError
from cnnexp.tasks.base import Parts
from cnnexp.tasks.denoise import Denoise
from cnnexp.tasks.super_resolve import SuperResolve
from tests.tasks import tiny

NOISE: dict[str, Any] = {"noise_kind": "gaussian", "noise": 0.1, "peak": 30.0, "clip": False, "crop": "auto"}


class Same(nn.Module):
    """What comes in, by whole squares as large as asked for."""

    def __init__(self, factor: int = 1, reach: int = 3) -> None:
        super().__init__()
        self.factor, self.reach = factor, reach
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x.repeat_interleave(self.factor, -1).repeat_interleave(self.factor, -2)


def pictures(count: int = 5, size: tuple[int, int] = (32, 40), channels: int = 3, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(256, (count, channels, *size), generator=generator).to(torch.uint8)
    return {"image": image, "index": torch.arange(count)}


def parts(
    net: nn.Module,
    size: tuple[int, int] = (32, 40),
    *,
    augmentation: Augmentation | None = None,
    seed: int = 0,
    **given: Any,
) -> Parts:
    facts = tiny.facts(channels=3, image_size=size, mean=(0.5,) * 3, std=(0.2,) * 3, **given)
    preparation = facts.input.preparation(augmentation, [], seed=seed, centred=False, channels_last=False)
    return Parts(net, facts, preparation, None, SquaredError(), seed)


def denoiser(net: nn.Module | None = None, size: tuple[int, int] = (32, 40), **changes: Any) -> Denoise:
    own = {name: changes.pop(name, value) for name, value in NOISE.items()}
    return Denoise(parts(net or Same(), size, **changes), **own)


def enlarger(
    factor: Any = 2, net: nn.Module | None = None, size: tuple[int, int] = (32, 40), **changes: Any
) -> SuperResolve:
    crop = changes.pop("crop", "auto")
    return SuperResolve(parts(net or Same(factor), size, **changes), factor=factor, crop=crop)
