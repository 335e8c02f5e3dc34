"""SSD (Liu et al. 2016): one stage that looks at maps of several sizes, each with boxes of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import detection, vgg16
from torchvision.models.detection import SSD300_VGG16_Weights
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSDFeatureExtractorVGG, SSDHead
from torchvision.ops import box_iou

from cnnexp.errors import InputError
from cnnexp.models.anchored import refuse_small, truth_of
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import he_init
from cnnexp.models.of_torchvision import take_channels
from cnnexp.models.published import Published
from cnnexp.models.published_detectors import published_detector, renamed
from cnnexp.models.pyramids import SMALL, Backbone, body_of
from cnnexp.models.sized import Sized

__all__ = ["SSD", "published", "renamed"]

Losses = dict[str, tuple[Tensor, Tensor]]
Found = list[dict[str, Tensor]]
PUBLISHED = "vgg16"
"""The backbone of the paper's SSD300, which has layers of its own behind it."""
PUBLISHED_SCALES = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05)
PUBLISHED_RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
PUBLISHED_STEPS = [8, 16, 32, 64, 100, 300]
PUBLISHED_SIDE = 300


class Maps(nn.Module):
    """A backbone's maps, and further ones behind the last, each at half the resolution of the one before it."""

    def __init__(self, body: nn.Module, widths: Sequence[int], further: int, further_width: int) -> None:
        super().__init__()
        self.body = body
        before = [widths[-1], *[further_width] * further]
        self.extra = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, further_width // 2, kernel_size=1),
                nn.ReLU(),
                nn.Conv2d(further_width // 2, further_width, kernel_size=3, stride=2, padding=1),
                nn.ReLU(),
            )
            for width in before[:further]
        )
        self.extra.apply(he_init)
        self.out_channels = [*widths, *before[1:]]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Pictures (B, C, H, W) → maps by name, from fine to coarse."""
        found = list(self.body(x).values())
        for block in self.extra:
            found.append(block(found[-1]))
        return OrderedDict((str(place), one) for place, one in enumerate(found))


class SSD(detection.ssd.SSD):
    """torchvision's SSD with a backbone of choice, and its loss in parts.

    With ``backbone=vgg16`` it is the paper's SSD300, whose published weights fit in.

    Args:
        in_channels, image_size, num_classes, backbone, width, depth, frozen_norms, frozen_eps, confidence_threshold,
            nms_iou, max_detections: as for ``FasterRCNN``.
        strides: of the backbone's maps that are looked at, in pixels. further: maps behind them, each at half the
            resolution. further_width: of those.
        scales: sides of the boxes of each map as parts of the picture's, and one number more: a second box of each map
            lies between its own and the next. None goes from 0.1 to 0.6 in even steps.
        aspect_ratios: each stands for two boxes, one that lies and one that stands.
        negatives: for each positive so many negatives are learnt, those with the largest loss.
        fixed_size: height and width that every picture is brought to; None leaves them.
        candidates: boxes of each class, the surest, that non-maximum suppression is asked about.

    Raises:
        InputError: as for ``FasterRCNN``; scales that do not rise, or are not one more than there are maps.
    """

    loss_terms: ClassVar[tuple[str, ...]] = ("class", "box")
    class_layers: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        backbone: str,
        width: int,
        depth: int,
        frozen_norms: bool,
        frozen_eps: float | None,
        strides: tuple[int, ...] | None,
        further: int,
        further_width: int,
        scales: tuple[float, ...] | None,
        aspect_ratios: tuple[float, ...],
        negatives: float,
        fixed_size: tuple[int, int] | None,
        confidence_threshold: float,
        nms_iou: float,
        max_detections: int,
        candidates: int,
    ) -> None:
        at_least_one(max_detections=max_detections, candidates=candidates, further_width=further_width // 2)
        if backbone == PUBLISHED:
            size = fixed_size or image_size
            if min(size) < PUBLISHED_SIDE:
                raise InputError(
                    f"model.backbone={PUBLISHED}: its last map is one cell of pictures of 300x300, and none of "
                    f"{size[0]}x{size[1]}; set model.fixed_size=[300,300] or data.image_size=[300,300]"
                )
            maps, anchors = _paper(in_channels, scales)
        else:
            used = strides_of(backbone, strides)
            if fixed_size is None:
                refuse_small(image_size, max(used) * 2**further)
            body, widths = body_of(Backbone(backbone, used, width, depth, frozen_norms, frozen_eps), in_channels)
            maps = Maps(body, widths, further, further_width)
            anchors = _boxes(len(used) + further, scales, aspect_ratios)
        shapes = anchors.num_anchors_per_location()
        super().__init__(
            maps,
            anchors,
            size=image_size,
            num_classes=num_classes + 1,
            head=SSDHead(maps.out_channels, shapes, num_classes + 1),
            score_thresh=confidence_threshold,
            nms_thresh=nms_iou,
            detections_per_img=max_detections,
            topk_candidates=candidates,
            positive_fraction=1 / (1 + negatives),
        )
        self.transform = Sized(None, 1, fixed_size)
        self.num_classes = num_classes
        layers = [
            f"head.{kind}_head.module_list.{place}" for kind in ("classification",) for place in range(len(shapes))
        ]
        self.class_layers = tuple(layers)  # type: ignore[misc]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Raw answers for all boxes of pictures: ``cls_logits`` (B, N, K + 1), ``bbox_regression`` (B, N, 4)."""
        return self.head(list(self.backbone(self.transform.images(x).tensors).values()))

    def losses(self, x: Tensor, boxes: Tensor, classes: Tensor) -> Losses:
        """``class`` (cross entropy of positives and of the hardest negatives) and ``box`` (smooth L1), per positive.

        Args:
            x: (B, C, H, W). boxes: (B, M, 4), x1 y1 x2 y2 in pixels. classes: int64 (B, M), -1 marks padding.
        """
        images = self.transform.images(x)
        return self._losses(*self._answers(images), x, boxes, classes)

    def detect(self, x: Tensor) -> Found:
        """What is found in pictures: of each ``boxes`` (n, 4) in pixels, ``scores`` (n,) and ``labels`` (n,)."""
        images = self.transform.images(x)
        return self._found(*self._answers(images), images, x)

    def judged(self, x: Tensor, boxes: Tensor, classes: Tensor) -> tuple[Losses, Found]:
        """Both of one pass through the net."""
        images = self.transform.images(x)
        answers = self._answers(images)
        return self._losses(*answers, x, boxes, classes), self._found(*answers, images, x)

    def every_box(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What every box became in pixels, (B, N, 4), and the logits of its classes, (B, N, K)."""
        images = self.transform.images(x)
        said, anchors = self._answers(images)
        boxes = [
            self.transform.back(self.box_coder.decode_single(offsets, own), size, x)
            for offsets, own, size in zip(said["bbox_regression"], anchors, images.image_sizes, strict=True)
        ]
        return torch.stack(boxes), said["cls_logits"][..., 1:]

    def _answers(self, images: ImageList) -> tuple[dict[str, Tensor], list[Tensor]]:
        """What the head says of all boxes, and where these are: (N, 4) for each picture."""
        maps = list(self.backbone(images.tensors).values())
        return self.head(maps), self.anchor_generator(images, maps)

    def _losses(
        self, said: dict[str, Tensor], anchors: list[Tensor], x: Tensor, boxes: Tensor, classes: Tensor
    ) -> Losses:
        truth = self.transform.truth(truth_of(boxes, classes), x)
        wanted, labels = [], []
        for one, own in zip(truth, anchors, strict=True):
            matched = torch.full((len(own),), -1, device=own.device)
            if len(one["boxes"]):
                matched = self.proposal_matcher(box_iou(one["boxes"], own))
            rows = matched.clamp(min=0)
            there = matched >= 0
            labels.append(torch.where(there, one["labels"][rows] + 1, 0) if len(one["labels"]) else matched * 0)
            wanted.append(self.box_coder.encode_single(one["boxes"][matched[there]], own[there]))
        label = torch.stack(labels)
        positive, logits = label > 0, said["cls_logits"]
        count = positive.sum()
        each = F.cross_entropy(logits.flatten(0, 1), label.flatten(), reduction="none").view(label.shape)
        learnt = positive | _hardest(each.detach(), positive, self.neg_to_pos_ratio)
        offsets = said["bbox_regression"][positive]
        box = F.smooth_l1_loss(offsets, torch.cat(wanted).to(offsets.dtype), reduction="sum")
        divisor = count.clamp(min=1)
        return {"class": (each[learnt].sum() / divisor, count), "box": (box / divisor, count)}

    @torch.no_grad()
    def _found(self, said: dict[str, Tensor], anchors: list[Tensor], images: ImageList, x: Tensor) -> Found:
        answers = {name: one.float() for name, one in said.items()}
        found = self.postprocess_detections(answers, anchors, images.image_sizes)
        return [
            {**one, "boxes": self.transform.back(one["boxes"], size, x), "labels": one["labels"] - 1}
            for one, size in zip(found, images.image_sizes, strict=True)
        ]

    def class_rows(self, numbers: Sequence[int]) -> dict[str, list[int]]:
        """The rows of the last layers for the classes in another order: each box has one for background, then each."""
        rows = [0, *(number + 1 for number in numbers)]
        each, counts = self.num_classes + 1, self.anchor_generator.num_anchors_per_location()
        return {
            layer: [place * each + row for place in range(count) for row in rows]
            for layer, count in zip(self.class_layers, counts, strict=True)
        }

    def stage_parts(self) -> list[list[str]]:
        """The backbone, and all that is learnt for boxes."""
        body = [name for name, _ in self.backbone.named_children() if name != "extra"]
        return [[f"backbone.{name}" for name in body], [*_beside(self.backbone), "backbone.extra", "head"]]


def published(weights: str | None, *, backbone: str, strides: tuple[int, ...] | None) -> Published | None:
    """torchvision's weights of COCO for ``vgg16``, ImageNet's for the part of another named backbone that is in use."""
    per_place = sum(2 + 2 * len(ratios) for ratios in PUBLISHED_RATIOS[:1])
    return published_detector(
        weights,
        Backbone(backbone, strides_of(backbone, strides)),
        {PUBLISHED: SSD300_VGG16_Weights.COCO_V1},
        first_class=1,
        answers="head.classification_head.module_list.0.bias",
        in_rows=lambda rows: rows // per_place - 1,
        trained={"fixed_size": (PUBLISHED_SIDE, PUBLISHED_SIDE)},
        sized={},
        mean=(0.48235, 0.45882, 0.40784),
        std=(1 / 255, 1 / 255, 1 / 255),
    )


def strides_of(backbone: str, given: tuple[int, ...] | None) -> tuple[int, ...]:
    """Of the backbone's maps that are looked at, in pixels."""
    return tuple(given) if given else (4, 8, 16) if backbone == SMALL else (8, 16, 32)


def _hardest(losses: Tensor, positive: Tensor, ratio: float) -> Tensor:
    """Of each picture the negatives with the largest losses (B, N), so many for each positive."""
    most = ratio * positive.sum(dim=1, keepdim=True)
    order = losses.masked_fill(positive, -torch.inf).argsort(dim=1, descending=True, stable=True)
    place = torch.empty_like(order).scatter_(
        1, order, torch.arange(order.shape[1], device=order.device).expand_as(order)
    )
    return (place < most) & ~positive


def _boxes(maps: int, scales: Sequence[float] | None, ratios: Sequence[float]) -> DefaultBoxGenerator:
    given = scales or [0.1 + 0.5 * place / maps for place in range(maps + 1)]
    if len(given) != maps + 1 or min(given) <= 0 or any(b <= a for a, b in pairwise(given)):
        raise InputError(
            f"model.scales=[{','.join(map(str, given))}]: expected {maps + 1} parts of the picture's side that rise, "
            f"one for each of {maps} maps and one more"
        )
    if given[0] > 1:
        raise InputError(f"model.scales: boxes of {given[0]:g} pictures; take parts of the picture's side, up to 1")
    return DefaultBoxGenerator([list(ratios)] * maps, scales=list(given))


def _paper(in_channels: int, scales: Sequence[float] | None) -> tuple[nn.Module, DefaultBoxGenerator]:
    """The net of SSD300 and its boxes."""
    net = vgg16(weights=None)
    if in_channels != 3:
        take_channels(net, in_channels)
    maps = SSDFeatureExtractorVGG(net.features, highres=False)
    maps.out_channels = [512, 1024, 512, 256, 256, 256]
    ratios = [list(one) for one in PUBLISHED_RATIOS]
    return maps, DefaultBoxGenerator(ratios, scales=list(scales or PUBLISHED_SCALES), steps=PUBLISHED_STEPS)


def _beside(maps: nn.Module) -> list[str]:
    """Parameters of the maps' own."""
    return [f"backbone.{name}" for name, _ in maps.named_parameters(recurse=False)]
