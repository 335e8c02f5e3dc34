"""RetinaNet (Lin, Goyal, Girshick, He, Dollár 2017): one stage, dense anchors, and the focal loss."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection import RetinaNet_ResNet50_FPN_Weights
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops import box_iou, sigmoid_focal_loss
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelMaxPool, LastLevelP6P7

from cnnexp.errors import InputError
from cnnexp.models.anchored import anchor_sizes_of, refuse_large, refuse_small, same_number, truth_of
from cnnexp.models.bounds import at_least_one
from cnnexp.models.published import Published
from cnnexp.models.published_detectors import published_detector, renamed
from cnnexp.models.pyramids import SMALL, Backbone, Pyramid, body_of
from cnnexp.models.sized import Sized
from cnnexp.models.small_backbone import GROUP

__all__ = ["RetinaNet", "published", "renamed"]

Losses = dict[str, tuple[Tensor, int]]
Found = list[dict[str, Tensor]]
OCTAVE = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
"""Sizes of anchors on a map, as factors of the smallest."""


class RetinaNet(detection.RetinaNet):
    """torchvision's RetinaNet with a backbone of choice, its loss in parts, and the focal loss with its two numbers.

    Behind the small backbone the layers of the heads have group norm, as in torchvision's second version: the published
    start, weights of 0.01, leaves next to nothing of so few maps after four layers.

    Args:
        in_channels, image_size, num_classes, backbone, width, depth, frozen_norms, frozen_eps, resize, anchor_ratios,
            confidence_threshold, nms_iou, max_detections: as for ``FasterRCNN``.
        strides: of the backbone's maps that the pyramid has, in pixels. Behind a named one it goes on with two more,
            each at twice the stride; behind the small one with one.
        pyramid_width: maps of the pyramid, and of the four layers of each head.
        anchor_sizes: sides in pixels for each map of the pyramid.
        focal_gamma: how much less what is known already counts: a factor of (1 - p)^gamma. focal_alpha: weight of what
            is there, and 1 - alpha of what is not; a negative one weighs both alike.
        candidates: boxes of each map, the surest, that non-maximum suppression is asked about.

    Raises:
        InputError: as for ``FasterRCNN``.
    """

    loss_terms: ClassVar[tuple[str, ...]] = ("class", "box")
    counts_in_advance: ClassVar[bool] = True
    """Both are means over pictures, in each of which they are divided by its own number of positives."""
    class_layers: ClassVar[tuple[str, ...]] = ("head.classification_head.cls_logits",)

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
        pyramid_width: int | None,
        anchor_sizes: tuple[tuple[float, ...], ...] | None,
        anchor_ratios: tuple[float, ...],
        focal_gamma: float,
        focal_alpha: float,
        resize: tuple[int, int] | None,
        confidence_threshold: float,
        nms_iou: float,
        max_detections: int,
        candidates: int,
    ) -> None:
        small = backbone == SMALL
        strides = strides_of(backbone, strides)
        maps = pyramid_width or (64 if small else 256)
        at_least_one(pyramid_width=maps, max_detections=max_detections, candidates=candidates)
        if small and maps % GROUP:
            raise InputError(
                f"model.pyramid_width={maps}: norms are over groups of {GROUP} maps; take a multiple of it"
            )
        if focal_gamma < 0:
            raise InputError(f"model.focal_gamma={focal_gamma:g}: expected a number of at least 0")
        body, widths = body_of(Backbone(backbone, strides, width, depth, frozen_norms, frozen_eps), in_channels)
        further = [strides[-1] * 2 ** (step + 1) for step in range(1 if small else 2)]
        times = 3.0 if small else 4.0
        usual = [[float(int(times * stride * part)) for part in OCTAVE] for stride in (*strides, *further)]
        sizes = anchor_sizes_of(anchor_sizes or usual, (*strides, *further))
        if resize is None:
            refuse_small(image_size, max(strides))
            refuse_large(anchor_sizes or (), image_size)
        anchors = AnchorGenerator(sizes, (anchor_ratios,) * len(sizes))
        extra: ExtraFPNBlock = LastLevelMaxPool() if small else LastLevelP6P7(maps, maps)
        super().__init__(
            Pyramid(body, widths, maps, extra),
            num_classes,
            anchor_generator=anchors,
            head=RetinaNetHead(
                maps,
                same_number(anchors.num_anchors_per_location()),
                num_classes,
                partial(nn.GroupNorm, maps // GROUP) if small else None,
            ),
            score_thresh=confidence_threshold,
            nms_thresh=nms_iou,
            detections_per_img=max_detections,
            topk_candidates=candidates,
        )
        self.transform = Sized(resize, max(strides))
        self.num_classes, self.focal_gamma, self.focal_alpha = num_classes, focal_gamma, focal_alpha

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Raw answers for all anchors of pictures: ``cls_logits`` (B, N, K), ``bbox_regression`` (B, N, 4)."""
        return self._answers(self.transform.images(x))[0]

    def losses(self, x: Tensor, boxes: Tensor, classes: Tensor) -> Losses:
        """``class`` (focal loss of every anchor and class) and ``box`` (L1 of positives), and the number of pictures.

        Args:
            x: (B, C, H, W). boxes: (B, M, 4), x1 y1 x2 y2 in pixels. classes: int64 (B, M), -1 marks padding.
        """
        images = self.transform.images(x)
        return self._losses(*self._answers(images), images, x, boxes, classes)

    def detect(self, x: Tensor) -> Found:
        """What is found in pictures: of each ``boxes`` (n, 4) in pixels, ``scores`` (n,) and ``labels`` (n,)."""
        images = self.transform.images(x)
        return self._found(*self._answers(images), images, x)

    def judged(self, x: Tensor, boxes: Tensor, classes: Tensor) -> tuple[Losses, Found]:
        """Both of one pass through the net."""
        images = self.transform.images(x)
        answers = self._answers(images)
        return self._losses(*answers, images, x, boxes, classes), self._found(*answers, images, x)

    def every_box(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What every anchor became in pixels, (B, N, 4), and the logits of its classes, (B, N, K)."""
        images = self.transform.images(x)
        said, maps = self._answers(images)
        anchors = self.anchor_generator(images, maps)
        boxes = [
            self.transform.back(self.box_coder.decode_single(offsets, own), size, x)
            for offsets, own, size in zip(said["bbox_regression"], anchors, images.image_sizes, strict=True)
        ]
        return torch.stack(boxes), said["cls_logits"]

    def _answers(self, images: ImageList) -> tuple[dict[str, Tensor], list[Tensor]]:
        """What the head says of all anchors, and the maps that it looks at."""
        maps = list(self.backbone(images.tensors).values())
        return self.head(maps), maps

    def _losses(
        self,
        said: dict[str, Tensor],
        maps: list[Tensor],
        images: ImageList,
        x: Tensor,
        boxes: Tensor,
        classes: Tensor,
    ) -> Losses:
        truth = self.transform.truth(truth_of(boxes, classes), x)
        anchors = self.anchor_generator(images, maps)
        matched = [self._matched(one["boxes"], own) for one, own in zip(truth, anchors, strict=True)]
        terms = [
            self._focal(logits, one["labels"], rows)
            for logits, one, rows in zip(said["cls_logits"], truth, matched, strict=True)
        ]
        box = self.head.regression_head.compute_loss(truth, said, anchors, matched)
        return {"class": (torch.stack(terms).mean(), len(x)), "box": (box, len(x))}

    def _matched(self, boxes: Tensor, anchors: Tensor) -> Tensor:
        """For each anchor its box, or -1 for nothing, -2 for what is not learnt."""
        if len(boxes) == 0:
            return torch.full((len(anchors),), -1, dtype=torch.int64, device=anchors.device)
        return self.proposal_matcher(box_iou(boxes, anchors))

    def _focal(self, logits: Tensor, labels: Tensor, matched: Tensor) -> Tensor:
        """Of one picture, by its number of positives (Lin et al. 2017, equation 5)."""
        (positive,) = torch.where(matched >= 0)
        target = torch.zeros_like(logits)
        target[positive, labels[matched[positive]]] = 1.0
        learnt = matched != self.proposal_matcher.BETWEEN_THRESHOLDS
        total = sigmoid_focal_loss(
            logits[learnt], target[learnt], alpha=self.focal_alpha, gamma=self.focal_gamma, reduction="sum"
        )
        return total / max(1, len(positive))

    @torch.no_grad()
    def _found(self, said: dict[str, Tensor], maps: list[Tensor], images: ImageList, x: Tensor) -> Found:
        anchors = self.anchor_generator(images, maps)
        counts = [one.shape[2] * one.shape[3] * self.head.classification_head.num_anchors for one in maps]
        by_map = {name: list(answer.float().split(counts, dim=1)) for name, answer in said.items()}
        own = [list(one.split(counts)) for one in anchors]
        found = self.postprocess_detections(by_map, own, images.image_sizes)
        return [
            {**one, "boxes": self.transform.back(one["boxes"], size, x)}
            for one, size in zip(found, images.image_sizes, strict=True)
        ]

    def class_rows(self, numbers: Sequence[int]) -> list[int]:
        """The rows of the last layer for the classes in another order: each anchor has a row for each class."""
        anchors = self.head.classification_head.num_anchors
        return [place * self.num_classes + number for place in range(anchors) for number in numbers]

    def stage_parts(self) -> list[list[str]]:
        """The backbone, and all that is learnt for boxes."""
        return [["backbone.body"], ["backbone.fpn", "head"]]


def published(weights: str | None, *, backbone: str, strides: tuple[int, ...] | None) -> Published | None:
    """torchvision's weights of COCO for ``resnet50``, ImageNet's for the part of a named backbone that is in use."""
    return published_detector(
        weights,
        Backbone(backbone, strides_of(backbone, strides)),
        {"resnet50": RetinaNet_ResNet50_FPN_Weights.COCO_V1},
        first_class=0,  # it answers for the background as well, and always no
        answers="head.classification_head.cls_logits.bias",
        in_rows=lambda rows: rows // 9,
        trained={"frozen_eps": 0.0},
        sized={"resize": (800, 1333)},
    )


def strides_of(backbone: str, given: tuple[int, ...] | None) -> tuple[int, ...]:
    """Of the backbone's maps that the pyramid has, in pixels."""
    return tuple(given) if given else (4, 8, 16) if backbone == SMALL else (8, 16, 32)
