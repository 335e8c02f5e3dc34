"""Mask R-CNN (He, Gkioxari, Dollár, Girshick 2017): Faster R-CNN with a third answer for each box, its mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import maskrcnn_inference, paste_masks_in_image
from torchvision.ops import roi_align

from cnnexp.models.anchored import truth_of
from cnnexp.models.bounds import at_least_one
from cnnexp.models.faster_rcnn import FasterRCNN, Found, Losses, Proposed, Sampled, Truth, renamed, strides_of
from cnnexp.models.published import Published
from cnnexp.models.published_detectors import published_detector
from cnnexp.models.pyramids import SMALL, Backbone
from cnnexp.models.roi_pool import RoIPool

__all__ = ["MaskRCNN", "published", "renamed"]

POOLED = 14
"""Cells along each side of what is cut out for a mask; the mask has twice as many."""
LEAST = 0.5
"""Probability from which on a pixel belongs to the object."""


class MaskRCNN(FasterRCNN):
    """For each box that was found a mask of 28×28 probabilities, one for each class, of which that of the box's class
    counts; it is pasted into the picture.

    The masks learn from the proposals that are sampled and are no background: binary cross entropy of the true class's
    mask against what the true object has of the proposal. Made of torchvision's parts, as ``FasterRCNN`` is.

    Args:
        in_channels, image_size: of pictures; image_size is height and width in pixels.
        num_classes: number of classes K, without a background.
        backbone: ``small``, or a net of torchvision or timm by its name there.
        width, depth: of the small one: maps at stride 2, and residual blocks at each stride.
        frozen_norms: batch norms of a named one stay as they are. frozen_eps: what they add to the variance.
        strides: of the maps that are looked at, in pixels. One more, at twice the last stride, proposes only.
        pyramid_width: maps at each stride of the pyramid. head_width: units of the second stage's two layers.
        pooled_size: cells along each side of what is cut out.
        anchor_sizes: sides in pixels for each map, one more than there are strides. anchor_ratios: height by width.
        anchors_learnt, proposals_learnt: sampled of each picture. proposals: handed to the second stage.
        resize: the shorter side of pictures, and the longest that the other may have, in pixels; None leaves them.
        confidence_threshold: boxes with a score in [0, 1] up to it are dropped.
        nms_iou: of two boxes of a class that overlap by more, the surer one is kept.
        max_detections: boxes of a picture.
        mask_width, mask_layers: maps of the mask's layers, and 3x3 convolutions before the mask is doubled in size;
            None is what was published, or of the small backbone 32 and 2.

    Raises:
        InputError: as for ``FasterRCNN``.
    """

    loss_terms: ClassVar[tuple[str, ...]] = (*FasterRCNN.loss_terms, "mask")
    takes: ClassVar[tuple[str, ...]] = (*FasterRCNN.takes, "instances")
    small_anchors: ClassVar[float] = 2.0
    class_layers: ClassVar[tuple[str, ...]] = (*FasterRCNN.class_layers, "roi_heads.mask_predictor.mask_fcn_logits")

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
        head_width: int | None,
        pooled_size: int,
        mask_width: int | None,
        mask_layers: int | None,
        anchor_sizes: tuple[tuple[float, ...], ...] | None,
        anchor_ratios: tuple[float, ...],
        anchors_learnt: int | None,
        proposals_learnt: int | None,
        proposals: int | None,
        resize: tuple[int, int] | None,
        confidence_threshold: float,
        nms_iou: float,
        max_detections: int,
    ) -> None:
        small = backbone == SMALL
        super().__init__(
            in_channels=in_channels,
            image_size=image_size,
            num_classes=num_classes,
            backbone=backbone,
            width=width,
            depth=depth,
            frozen_norms=frozen_norms,
            frozen_eps=frozen_eps,
            strides=strides,
            pyramid_width=pyramid_width,
            head_width=head_width,
            pooled_size=pooled_size,
            anchor_sizes=anchor_sizes,
            anchor_ratios=anchor_ratios,
            anchors_learnt=anchors_learnt,
            proposals_learnt=proposals_learnt or (32 if small else None),
            proposals=proposals or (200 if small else None),
            resize=resize,
            confidence_threshold=confidence_threshold,
            nms_iou=nms_iou,
            max_detections=max_detections,
        )
        maps, layers = mask_width or (32 if small else 256), mask_layers or (2 if small else 4)
        at_least_one(mask_width=maps, mask_layers=layers)
        boxes = self.roi_heads.box_roi_pool
        self.roi_heads.mask_roi_pool = RoIPool(boxes.featmap_names, POOLED, 2, canonical_scale=boxes.canonical_scale)
        self.roi_heads.mask_head = MaskRCNNHeads(self.backbone.out_channels, (maps,) * layers, 1)
        self.roi_heads.mask_predictor = MaskRCNNPredictor(maps, maps, num_classes + 1)

    def answers_to(self, seen: Tensor, features: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """As ``FasterRCNN``'s, and logits (P, K + 1, 28, 28) of the masks of as many windows."""
        cut = self.cut_whole(seen, features["0"], POOLED)
        masks = self.roi_heads.mask_predictor(self.roi_heads.mask_head(cut))
        return (*super().answers_to(seen, features), masks)

    def losses(self, x: Tensor, boxes: Tensor, classes: Tensor, draws: Tensor, instances: Tensor) -> Losses:  # type: ignore[override]
        """As ``FasterRCNN``'s, and ``mask``: binary cross entropy, the mean over pixels and then over proposals that
        are no background, and how many those are.

        Args:
            instances: int16 (B, H, W), the number of each pixel's object, as ``cnnexp.answers.instances`` has them.
        """
        proposed, truth = self.propose(x), self._truth(x, boxes, classes, instances)
        return {**self.first_losses(proposed, truth, draws), **self.second_losses(proposed, truth, draws)}

    def judged(  # type: ignore[override]
        self, x: Tensor, boxes: Tensor, classes: Tensor, draws: Tensor, instances: Tensor
    ) -> tuple[Losses, Found]:
        """Both of one pass through the first stage."""
        proposed, truth = self.propose(x), self._truth(x, boxes, classes, instances)
        losses = {**self.first_losses(proposed, truth, draws), **self.second_losses(proposed, truth, draws)}
        return losses, self.find(proposed, x)

    def losses_of(self, sampled: Sampled, proposed: Proposed) -> Losses:
        """``class``, ``box`` and ``mask`` of what was sampled."""
        return {**super().losses_of(sampled, proposed), "mask": self.mask_loss(sampled, proposed)}

    def mask_loss(self, sampled: Sampled, proposed: Proposed) -> tuple[Tensor, Tensor]:
        """The mean over the proposals that are no background, and how many those are."""
        positive = [labels > 0 for labels in sampled.labels]
        boxes = [own[kept] for own, kept in zip(sampled.boxes, positive, strict=True)]
        labels = torch.cat([own[kept] for own, kept in zip(sampled.labels, positive, strict=True)])
        logits = self.mask_logits(proposed, boxes)
        own = logits[torch.arange(len(labels), device=labels.device), labels]
        wanted = [
            masks_in(boxes[place], one["instances"], one["numbers"][sampled.matched[place][kept]], own.shape[-1])
            for place, (one, kept) in enumerate(zip(sampled.truth, positive, strict=True))
            if kept.any()
        ]
        target = torch.cat(wanted).to(own.dtype) if wanted else torch.zeros_like(own)
        total = F.binary_cross_entropy_with_logits(own, target, reduction="sum") / own.shape[-1] ** 2
        count = torch.tensor(len(labels), device=labels.device)
        return total / count.clamp(min=1), count

    def mask_logits(self, proposed: Proposed, boxes: list[Tensor]) -> Tensor:
        """(n, K + 1, 28, 28) for boxes of each picture, n in all."""
        heads = self.roi_heads
        cut = heads.mask_roi_pool(proposed.features, boxes, proposed.images.image_sizes)
        logits: Tensor = heads.mask_predictor(heads.mask_head(cut))
        return logits

    @torch.no_grad()
    def find(self, proposed: Proposed, x: Tensor) -> Found:
        """As ``FasterRCNN``'s, and ``masks`` bool (n, H, W) at the size of the pictures x."""
        found = super().find(proposed, x)
        boxes = [one["boxes"] for one in self.sized.truth(found, x)]
        logits = self.mask_logits(proposed, boxes).float()
        probabilities = maskrcnn_inference(logits, [one["labels"] + 1 for one in found])
        size = (x.shape[-2], x.shape[-1])
        return [
            {**one, "masks": (paste_masks_in_image(own, one["boxes"], size) > LEAST)[:, 0]}
            for one, own in zip(found, probabilities, strict=True)
        ]

    def class_rows(self, numbers: Sequence[int]) -> dict[str, list[int]]:
        rows = [0, *(number + 1 for number in numbers)]
        offsets = [4 * row + edge for row in rows for edge in range(4)]
        return dict(zip(self.class_layers, (rows, offsets, rows), strict=True))

    def _truth(self, x: Tensor, boxes: Tensor, classes: Tensor, instances: Tensor) -> Truth:
        """What is true as the backbone sees it, with the pixels' objects and the number of each box among them."""
        truth = self.sized.truth(truth_of(boxes, classes), x)
        seen = self.sized.images(x[:1]).image_sizes[0] if self.sized.transform is not None else x.shape[-2:]
        if tuple(seen) != tuple(instances.shape[-2:]):
            instances = F.interpolate(instances[:, None].float(), size=seen, mode="nearest-exact")[:, 0].short()
        return [
            {**one, "instances": own, "numbers": (kinds >= 0).nonzero()[:, 0] + 1}
            for one, own, kinds in zip(truth, instances, classes, strict=True)
        ]


def published(weights: str | None, *, backbone: str, strides: tuple[int, ...] | None) -> Published | None:
    """torchvision's weights of COCO for ``resnet50``, ImageNet's for the part of a named backbone that is in use."""
    found = published_detector(
        weights,
        Backbone(backbone, strides_of(backbone, strides)),
        {"resnet50": MaskRCNN_ResNet50_FPN_Weights.COCO_V1},
        first_class=1,
        answers="roi_heads.box_predictor.cls_score.bias",
        in_rows=lambda rows: rows - 1,
        trained={"frozen_eps": 0.0},
        sized={"resize": (800, 1333)},
    )
    of_masks = found is not None and found.task == "detection"
    return replace(found, task="instances", target="instances") if of_masks else found  # type: ignore[type-var]


def masks_in(boxes: Tensor, instances: Tensor, numbers: Tensor, side: int) -> Tensor:
    """What some objects have of a box each: torchvision's ``project_masks_on_boxes``.

    Args:
        boxes: (n, 4) in pixels. instances: int16 (H, W). numbers: int64 (n,), of the objects.

    Returns:
        (n, side, side), the part of each cell that is the object's, in [0, 1].
    """
    masks = (instances == numbers.to(instances)[:, None, None]).to(boxes.dtype)
    places = torch.arange(len(boxes), device=boxes.device)[:, None].to(boxes)
    return roi_align(masks[:, None], torch.cat([places, boxes], 1), side, 1.0)[:, 0]
