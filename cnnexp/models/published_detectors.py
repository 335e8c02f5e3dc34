"""What is published for detectors: torchvision's weights of COCO, and ImageNet's for their backbones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.models import of_torchvision
from cnnexp.models.published import Published
from cnnexp.models.published_backbones import IMAGENET, published_backbone
from cnnexp.models.pyramids import SMALL, Backbone, body_of

BODY = "backbone.body."
COUNTER = ".num_batches_tracked"
_OLD_NAMES = (
    (re.compile(r"^(rpn\.head\.conv)\.(weight|bias)$"), r"\1.0.0.\2"),
    (re.compile(r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$"), r"\1.0.\2"),
)
"""Names in files from before torchvision 0.13, as its modules rename them when they load."""
_OLD_TOWER = re.compile(r"^(head\.(?:classification|regression)_head\.conv)\.(\d+)\.(weight|bias)$")
"""Of RetinaNet: its convolutions were counted with the ReLUs between them."""


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of a detector, of any age, by the names of today; without counts of batches, which say nothing."""
    found = {}
    for name, value in state.items():
        for pattern, new in _OLD_NAMES:
            name = pattern.sub(new, name)
        name = _OLD_TOWER.sub(lambda hit: f"{hit[1]}.{int(hit[2]) // 2}.0.{hit[3]}", name)
        if not name.endswith(COUNTER):
            found[name] = value
    return found


def published_detector(
    weights: str | None,
    backbone: Backbone,
    coco: Mapping[str, WeightsEnum],
    *,
    answers: str,
    in_rows: Callable[[int], int],
    first_class: int,
    trained: Mapping[str, Any],
    sized: Mapping[str, Any],
    mean: tuple[float, ...] = (0.485, 0.456, 0.406),
    std: tuple[float, ...] = (0.229, 0.224, 0.225),
) -> Published | None:
    """What is published for a detector with this backbone.

    Args:
        weights: ``torchvision`` or the name that it has there, for COCO's; ``imagenet`` for those of the backbone
            alone. None stands for the first that there are, or for none at all.
        coco: torchvision's by the backbone. answers: name of a tensor with rows for the classes. in_rows: the number
            of classes that so many rows answer for. first_class: the number of COCO's first name that the net has an
            answer for: 1 leaves out the background.
        trained: arguments of the net that belong to those. sized: those that bring whole pictures to size.
        mean, std: of each channel, pixels in [0, 1].

    Raises:
        InputError: there are no such weights.
    """
    own = coco.get(backbone.name)
    words = [*([of_torchvision.DEFAULT[0], own.name] if own else []), *([IMAGENET] if backbone.name != SMALL else [])]
    if weights is None and not words:
        return None
    if weights not in (None, *words):
        raise InputError(
            f"model.weights={weights}: no file, and there are no such weights for model.backbone={backbone.name}; "
            + (did_you_mean(str(weights), words) or f"torchvision's are for model.backbone={', '.join(coco)}")
        )
    if own is None or weights == IMAGENET:
        return _of_backbone(backbone)
    categories = tuple(own.meta["categories"])[first_class:]

    return Published(
        source=f"torchvision's {own}",
        mean=mean,
        std=std,
        resize_px=0,
        crop_px=0,
        interpolation="bilinear",
        classes=categories,
        load=lambda: renamed(of_torchvision.state_of(own, weights)),
        task="detection",
        target="boxes",
        answers=answers,
        in_rows=in_rows,
        trained=trained,
        sized=sized,
    )


def _of_backbone(backbone: Backbone) -> Published:
    """ImageNet's, for the part of the net that looks at pictures."""

    def body() -> nn.Module:
        with torch.device("meta"):
            return body_of(backbone, 3)[0]

    found = published_backbone(IMAGENET, backbone.name, body, under=BODY, task="detection", target="boxes")
    assert found is not None
    return found
