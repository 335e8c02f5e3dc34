"""What the first stage of a detector hands to the second, and what of it is learnt from."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torchvision.models.detection.image_list import ImageList

Truth = list[dict[str, Tensor]]
"""Of each picture ``boxes`` (n, 4) and ``labels`` (n,), without padding."""


class Proposed(NamedTuple):
    """What the first stage says of pictures, as they are seen (sized and padded).

    Attributes:
        images: with the size of each before padding. features: maps by name.
        objectness: logits (B, N) of all anchors. offsets: (B, N, 4). anchors: (N, 4), those of every picture.
        boxes: of each picture the proposals (n, 4), the surest first.
    """

    images: ImageList
    features: dict[str, Tensor]
    objectness: Tensor
    offsets: Tensor
    anchors: Tensor
    boxes: list[Tensor]


class Sampled(NamedTuple):
    """Proposals to learn from, for each picture.

    Attributes:
        boxes: (n, 4). labels: int64 (n,), 0 = background, k + 1 = class k. matched: int64 (n,), the row of the
            picture's truth that each belongs to (0 for background). truth: what was true, by picture.
    """

    boxes: list[Tensor]
    labels: list[Tensor]
    matched: list[Tensor]
    truth: Truth


def matching(sampled: Sampled) -> list[Tensor]:
    """For each sampled proposal the true box that it is to become; itself in a picture without any."""
    return [
        one["boxes"][rows].to(boxes.dtype) if len(one["boxes"]) else boxes
        for one, rows, boxes in zip(sampled.truth, sampled.matched, sampled.boxes, strict=True)
    ]
