"""Engines and batches for tests: the vocabulary's file with a few keys changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
import yaml
from torch import Tensor

from cnnexp.answers.boxes import Boxes
from cnnexp.answers.label import Label
from cnnexp.answers.mask import Mask
from cnnexp.augmentation.engine import Augmentation
from cnnexp.augmentation.normalisation import Normalisation
from cnnexp.augmentation.operations import VOCABULARY
from cnnexp.inputs.pictures import PicturePreparation
from cnnexp.paths import config_folder

TRUTHS = (Label(("a", "b")), Mask(("a", "b")), Boxes(("a", "b")))


@cache
def vocabulary() -> str:
    """The file with every operation."""
    return (config_folder() / "augmentation" / "pictures.yaml").read_text(encoding="utf-8")


def engine(seed: int = 3, compiled: bool = False, **changes: Mapping[str, Any]) -> Augmentation:
    """Everything off but ``changes``: ``engine(rotate={"degrees": 15.0})``."""
    given = yaml.safe_load(vocabulary())
    del given["_target_"], given["input"]
    assert set(changes) <= set(given)
    for name, keys in changes.items():
        assert set(keys) <= set(given[name])
        given[name].update(keys)
    operations = {name: VOCABULARY[name](**keys) for name, keys in given.items()}
    return Augmentation(seed=seed, compiled=compiled, operations=operations)


def applied(
    augmentation: Augmentation, batch: Mapping[str, Tensor], epoch: int, by: Normalisation
) -> dict[str, Tensor]:
    """A batch augmented with all that lies in its pictures, as in training."""
    return PicturePreparation(by, augmentation, TRUTHS)(dict(batch), True, epoch)


def centred(by: Normalisation, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch as an evaluation takes it, in stored numbers."""
    return PicturePreparation(by, Augmentation(seed=0), TRUTHS).stored(dict(batch))


def plain(height: int, width: int, channels: int = 3, stored: tuple[int, int] | None = None) -> Normalisation:
    """A normalisation that leaves values from 0 to 255."""
    return normalisation(height, width, channels, mean=(0.0,) * channels, std=(1 / 255,) * channels, stored=stored)


def normalisation(
    height: int, width: int, channels: int, *, mean: tuple[float, ...], std: tuple[float, ...], **changes: Any
) -> Normalisation:
    assert len(mean) == len(std) == channels
    return Normalisation(mean, std, (height, width), **changes)


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
