"""Engines and batches for tests: the vocabulary's file with a few keys changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import yaml
from torch import Tensor

from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.normalisation import Normalisation
from cnnexp.data.base import Facts
from cnnexp.paths import config_folder


def engine(seed: int = 3, compiled: bool = False, **changes: Mapping[str, Any]) -> Augmentation:
    """Everything off but ``changes``: ``engine(rotate={"degrees": 15.0})``."""
    given = yaml.safe_load((config_folder() / "augmentation" / "none.yaml").read_text(encoding="utf-8"))
    del given["_target_"]
    assert set(changes) <= set(given)
    for name, keys in changes.items():
        assert set(keys) <= set(given[name])
        given[name].update(keys)
    return Augmentation(seed=seed, compiled=compiled, **given)


def plain(height: int, width: int, channels: int = 3, **changes: Any) -> Normalisation:
    """A normalisation that leaves values from 0 to 255."""
    return normalisation(height, width, channels, mean=(0.0,) * channels, std=(1 / 255,) * channels, **changes)


def normalisation(
    height: int, width: int, channels: int, *, mean: tuple[float, ...], std: tuple[float, ...], **changes: Any
) -> Normalisation:
    facts = Facts("made", channels, height, width, classes=("a", "b"), targets=("label",), mean=mean, std=std)
    return Normalisation(facts, **changes)


def pictures(height: int, width: int, channels: int = 3, count: int = 64, smooth: bool = False) -> dict[str, Tensor]:
    """Noise without a 0, so that what came in from outside is told from what was there; or soft blobs."""
    generator = torch.Generator().manual_seed(height * 100 + width)
    if smooth:
        coarse = torch.rand(count, channels, 5, 5, generator=generator)
        soft = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
        image = (20 + 200 * soft.clamp(0, 1)).to(torch.uint8)
    else:
        image = torch.randint(1, 255, (count, channels, height, width), dtype=torch.uint8, generator=generator)
    return {"image": image, "index": torch.arange(count), "label": torch.arange(count)}
