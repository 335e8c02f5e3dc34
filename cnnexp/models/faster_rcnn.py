"""Faster R-CNN (Ren, He, Girshick, Sun 2015) with a feature pyramid (Lin et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import (
    AnchorGenerator,
    RegionProposalNetwork,
    RPNHead,
    concat_box_prediction_layers,
)
from torchvision.ops import roi_align
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from cnnexp.models.anchored import (
    anchor_sizes_of,
    choose,
    ranks,
    refuse_large,
    refuse_small,
    same_number,
    truth_of,
)
from cnnexp.models.bounds import at_least_one
from cnnexp.models.proposals import Proposed, Sampled, Truth, matching
from cnnexp.models.published import Published
from cnnexp.models.published_detectors import published_detector, renamed
from cnnexp.models.pyramids import SMALL, Backbone, Pyramid, body_of
from cnnexp.models.roi_pool import RoIPool
from cnnexp.models.sized import Sized

__all__ = ["FasterRCNN", "published", "renamed"]

Losses = dict[str, tuple[Tensor, Tensor]]
Found = list[dict[str, Tensor]]

BETA = 1 / 9
"""Where torchvision's smooth L1 goes from a square to a line; the paper has 1."""
RPN_STREAM, ROI_STREAM = 0, 1
"""What keeps the samples of the two stages apart."""


class FasterRCNN(nn.Module):
    """A first stage proposes boxes around anchors, a second one names and corrects what it cuts out for each.

    Made of torchvision's parts, whose names the parameters have: published weights fit in. Differences: the small
    backbone with group norm; what is sampled to learn from is a function of a key for each picture (``draws``), so that
    it depends on no other picture.

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

    None of strides, anchor_sizes, pyramid_width, head_width, anchors_learnt, proposals_learnt and proposals stands for
    what was published, or of the small backbone for what suits small pictures.

    Raises:
        InputError: a number that makes no net; an unknown backbone, or one without such maps; pictures smaller than a
            stride, or than an anchor.
    """

    loss_terms: ClassVar[tuple[str, ...]] = ("objectness", "rpn_box", "class", "box")
    takes: ClassVar[tuple[str, ...]] = ("draws",)
    """Keys of a prepared batch that ``losses`` and ``judged`` are handed by name."""
    proposes: ClassVar[bool] = True
    small_anchors: ClassVar[float] = 4.0
    """Side of the anchors on the small backbone's maps, in strides, unless sizes are given."""
    class_layers: ClassVar[tuple[str, ...]] = ("roi_heads.box_predictor.cls_score", "roi_heads.box_predictor.bbox_pred")

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
        super().__init__()
        small = backbone == SMALL
        strides = strides_of(backbone, strides)
        maps = pyramid_width or (64 if small else 256)
        units = head_width or (128 if small else 1024)
        self.proposals_count = proposals or (100 if small else 1000)
        at_least_one(pyramid_width=maps, head_width=units, pooled_size=pooled_size, max_detections=max_detections)
        self.num_classes, self.pooled_size = num_classes, pooled_size
        self.sized = Sized(resize, max(strides))
        body, widths = body_of(Backbone(backbone, strides, width, depth, frozen_norms, frozen_eps), in_channels)
        levels = (*strides, 2 * strides[-1])
        usual = [[(self.small_anchors if small else 8.0) * stride] for stride in levels]
        sizes = anchor_sizes_of(anchor_sizes or usual, levels)
        if resize is None:
            refuse_small(image_size, max(strides))
            refuse_large(anchor_sizes or (), image_size)
        self.backbone = Pyramid(body, widths, maps, LastLevelMaxPool())
        learnt = anchors_learnt or (128 if small else 256), proposals_learnt or (64 if small else 512)
        self.rpn = _first_stage(sizes, anchor_ratios, maps, learnt[0], self.proposals_count)
        cut = RoIPool(
            [str(level) for level in range(len(strides))], pooled_size, 2, canonical_scale=64 if small else 224
        )
        self.roi_heads = RoIHeads(
            cut,
            TwoMLPHead(maps * pooled_size**2, units),
            FastRCNNPredictor(units, num_classes + 1),
            fg_iou_thresh=0.5,
            bg_iou_thresh=0.5,
            batch_size_per_image=learnt[1],
            positive_fraction=0.25,
            bbox_reg_weights=None,
            score_thresh=confidence_threshold,
            nms_thresh=nms_iou,
            detections_per_img=max_detections,
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Both stages without the choice between them: the second one is shown the whole picture again and again.

        For summaries; ``losses`` and ``detect`` are what is learnt and found.

        Returns:
            objectness (B, N) and offsets (B, N, 4) of all anchors; class logits (P, K + 1) and offsets (P, 4K + 4) of
            as many windows as there are proposals of B pictures.
        """
        seen = self.sized.images(x).tensors
        return self.answers_to(seen, self.backbone(seen))

    def answers_to(self, seen: Tensor, features: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """``forward``, from pictures as the backbone takes them and its maps."""
        objectness, offsets = concat_box_prediction_layers(*self.rpn.head(list(features.values())))
        cut = self.cut_whole(seen, features["0"], self.pooled_size)
        logits, corrections = self.roi_heads.box_predictor(self.roi_heads.box_head(cut))
        return objectness.view(len(seen), -1), offsets.view(len(seen), -1, 4), logits, corrections

    def cut_whole(self, seen: Tensor, finest: Tensor, cells: int) -> Tensor:
        """The whole of each picture as often as there are proposals, or in training those that are learnt, cut out of
        the finest map in cells x cells."""
        height, width = seen.shape[-2:]
        count = self.roi_heads.fg_bg_sampler.batch_size_per_image if self.training else self.proposals_count
        whole = seen.new_tensor([[0.0, 0.0, width, height]]).expand(count, 4)
        return roi_align(finest, [whole] * len(seen), cells, finest.shape[-1] / width, 2)

    def losses(self, x: Tensor, boxes: Tensor, classes: Tensor, draws: Tensor) -> Losses:
        """The terms of both stages, each a mean over what was sampled for it, and how many that were.

        Args:
            x: (B, C, H, W). boxes: (B, M, 4), x1 y1 x2 y2 in pixels. classes: int64 (B, M), -1 marks padding.
            draws: int64 (B,), a key of each picture for what is sampled.

        Returns:
            ``objectness`` (binary cross entropy) and ``rpn_box`` (smooth L1 of positives) over sampled anchors,
            ``class`` (cross entropy) and ``box`` (smooth L1 of positives) over sampled proposals.
        """
        proposed = self.propose(x)
        truth = self.sized.truth(truth_of(boxes, classes), x)
        return {**self.first_losses(proposed, truth, draws), **self.second_losses(proposed, truth, draws)}

    def detect(self, x: Tensor) -> Found:
        """What is found in pictures (B, C, H, W).

        Returns:
            For each picture ``boxes`` (n, 4), x1 y1 x2 y2 in pixels, ``scores`` (n,) in [0, 1] and ``labels`` int64
            (n,), the surest first; and ``proposals`` (p, 4) that they were made of, the surest first.
        """
        return self.find(self.propose(x), x)

    def judged(self, x: Tensor, boxes: Tensor, classes: Tensor, draws: Tensor) -> tuple[Losses, Found]:
        """Both of one pass through the first stage."""
        proposed = self.propose(x)
        truth = self.sized.truth(truth_of(boxes, classes), x)
        losses = {**self.first_losses(proposed, truth, draws), **self.second_losses(proposed, truth, draws)}
        return losses, self.find(proposed, x)

    def propose(self, x: Tensor) -> Proposed:
        """The first stage on pictures (B, C, H, W)."""
        images = self.sized.images(x)
        features = self.backbone(images.tensors)
        maps = list(features.values())
        objectness, offsets = self.rpn.head(maps)
        anchors = self.rpn.anchor_generator(images, maps)
        counts = [one[0].numel() for one in objectness]
        flat, moves = concat_box_prediction_layers(objectness, offsets)
        boxes = self.rpn.box_coder.decode(moves.detach(), anchors).view(len(x), -1, 4)
        proposals, _ = self.rpn.filter_proposals(boxes, flat, images.image_sizes, counts)
        return Proposed(images, features, flat.view(len(x), -1), moves.view(len(x), -1, 4), anchors[0], proposals)

    def first_losses(self, proposed: Proposed, truth: Truth, draws: Tensor) -> Losses:
        """``objectness`` and ``rpn_box`` over the anchors that are sampled."""
        everywhere = [proposed.anchors] * len(truth)
        labels, matched = self.rpn.assign_targets_to_anchors(everywhere, truth)
        sampler = self.rpn.fg_bg_sampler
        target = torch.stack(labels)
        order = ranks(draws, target.shape[1], RPN_STREAM)
        chosen = choose(target, order, sampler.batch_size_per_image, sampler.positive_fraction)
        sampled, positive = chosen.positive | chosen.negative, chosen.positive
        wanted = [
            self.rpn.box_coder.encode_single(own[kept], proposed.anchors[kept])
            for own, kept in zip(matched, positive, strict=True)
        ]
        offsets = proposed.offsets[positive]
        count = sampled.sum()
        logits, wish = proposed.objectness[sampled], target[sampled]
        objectness = F.binary_cross_entropy_with_logits(logits, wish.to(logits.dtype), reduction="sum")
        box = F.smooth_l1_loss(offsets, torch.cat(wanted).to(offsets.dtype), beta=BETA, reduction="sum")
        return {"objectness": _mean(objectness, count), "rpn_box": _mean(box, count)}

    def second_losses(self, proposed: Proposed, truth: Truth, draws: Tensor) -> Losses:
        """``class`` and ``box`` over the proposals that are sampled."""
        return self.losses_of(self.sample(proposed, truth, draws), proposed)

    def sample(self, proposed: Proposed, truth: Truth, draws: Tensor) -> Sampled:
        """Proposals to learn from, with the true boxes among them."""
        heads = self.roi_heads
        true = [one["boxes"].to(proposed.objectness.dtype) for one in truth]
        boxes = heads.add_gt_proposals([one.detach() for one in proposed.boxes], true)
        matched, labels = heads.assign_targets_to_proposals(boxes, true, [one["labels"] + 1 for one in truth])
        padded = nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-1)
        sampler = heads.fg_bg_sampler
        order = ranks(draws, padded.shape[1], ROI_STREAM)
        chosen = choose(padded, order, sampler.batch_size_per_image, sampler.positive_fraction)
        kept = [
            torch.where(row[: len(own)])[0] for row, own in zip(chosen.positive | chosen.negative, labels, strict=True)
        ]
        picked, named, met = (
            [own[rows] for own, rows in zip(one, kept, strict=True)] for one in (boxes, labels, matched)
        )
        return Sampled(picked, named, met, truth)

    def losses_of(self, sampled: Sampled, proposed: Proposed) -> Losses:
        """``class`` and ``box`` of what was sampled."""
        logits, offsets = self.second(proposed, sampled.boxes)
        labels = torch.cat(sampled.labels)
        wanted = torch.cat(self.roi_heads.box_coder.encode(matching(sampled), sampled.boxes))
        (positive,) = torch.where(labels > 0)
        own = offsets.view(len(labels), -1, 4)[positive, labels[positive]]
        box = F.smooth_l1_loss(own, wanted[positive].to(own.dtype), beta=BETA, reduction="sum")
        count = (labels >= 0).sum()
        return {
            "class": _mean(F.cross_entropy(logits, labels, reduction="sum"), count),
            "box": _mean(box, count),
        }

    def second(self, proposed: Proposed, boxes: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Class logits (n, K + 1) and offsets (n, 4K + 4) for boxes of each picture, n in all."""
        cut = self.roi_heads.box_roi_pool(proposed.features, boxes, proposed.images.image_sizes)
        logits, offsets = self.roi_heads.box_predictor(self.roi_heads.box_head(cut))
        return logits, offsets

    @torch.no_grad()
    def find(self, proposed: Proposed, x: Tensor) -> Found:
        """What the second stage makes of the proposals, in pixels of the pictures x."""
        logits, offsets = self.second(proposed, proposed.boxes)
        sizes = proposed.images.image_sizes
        found = self.roi_heads.postprocess_detections(logits.float(), offsets.float(), proposed.boxes, sizes)
        return [
            {
                "boxes": self.sized.back(boxes, size, x),
                "scores": scores,
                "labels": labels - 1,
                "proposals": self.sized.back(proposals, size, x),
            }
            for boxes, scores, labels, proposals, size in zip(*found, proposed.boxes, sizes, strict=True)
        ]

    def class_rows(self, numbers: Sequence[int]) -> dict[str, list[int]]:
        """The rows of the last layers for the classes in another order; the background stays first."""
        rows = [0, *(number + 1 for number in numbers)]
        return dict(zip(self.class_layers, (rows, [4 * row + edge for row in rows for edge in range(4)]), strict=True))

    def stage_parts(self) -> list[list[str]]:
        """The backbone, and all that is learnt for boxes."""
        return [["backbone.body"], ["backbone.fpn", "rpn", "roi_heads"]]


def _first_stage(
    sizes: Sequence[Sequence[float]], ratios: tuple[float, ...], maps: int, learnt: int, proposals: int
) -> RegionProposalNetwork:
    """Anchors of these sizes for each map, and what proposes; twice as many proposals in training."""
    anchors = AnchorGenerator(tuple(map(tuple, sizes)), (ratios,) * len(sizes))
    kept = {"training": 2 * proposals, "testing": proposals}
    return RegionProposalNetwork(
        anchors,
        RPNHead(maps, same_number(anchors.num_anchors_per_location())),
        fg_iou_thresh=0.7,
        bg_iou_thresh=0.3,
        batch_size_per_image=learnt,
        positive_fraction=0.5,
        pre_nms_top_n=kept,
        post_nms_top_n=dict(kept),
        nms_thresh=0.7,
    )


def published(weights: str | None, *, backbone: str, strides: tuple[int, ...] | None) -> Published | None:
    """torchvision's weights of COCO for ``resnet50``, ImageNet's for the part of a named backbone that is in use."""
    return published_detector(
        weights,
        Backbone(backbone, strides_of(backbone, strides)),
        {"resnet50": FasterRCNN_ResNet50_FPN_Weights.COCO_V1},
        first_class=1,
        answers="roi_heads.box_predictor.cls_score.bias",
        in_rows=lambda rows: rows - 1,
        trained={"frozen_eps": 0.0},
        sized={"resize": (800, 1333)},
    )


def strides_of(backbone: str, given: tuple[int, ...] | None) -> tuple[int, ...]:
    """Of the maps that are looked at, in pixels."""
    return tuple(given) if given else (4, 8, 16) if backbone == SMALL else (4, 8, 16, 32)


def _mean(total: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    return total / count.clamp(min=1), count
