"""What is published for detectors: torchvision's weights of COCO, and ImageNet's for their backbones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import timm
from torch import Tensor
from torchvision import models
from torchvision.models import WeightsEnum

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.models import of_timm, of_torchvision
from cnnexp.models.published import Published
from cnnexp.models.pyramids import SMALL, TIMM

IMAGENET = "imagenet"
"""The word for a backbone's weights of ImageNet; all behind it is fresh."""
COCO = "torchvision"
BACKGROUND = "__background__"


def published_detector(
    weights: str | None,
    backbone: str,
    known: Mapping[str, WeightsEnum],
    *,
    count_of: Any,
    settings: Mapping[str, Any],
    alone: Mapping[str, Any],
    names: Any = None,
) -> Published | None:
    raise NotImplementedError
