"""Scores of one place in a picture: of a box that was found there, or of a class over the pixels that were given it.

A logit is asked about, as a probability hardly changes where a net is sure.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.visualize.scores import Score


def box_score(net: Any, x: Tensor, box: Tensor, label: int) -> Score:
    """How much a net that finds objects says for a class in a box that it found.

    Of a net that weighs one set of boxes at a time (``every_box``) it is the class's logit of the one that became the
    box, with that of objectness where there is such. Of one with two stages the second is asked, which names what lies
    in the box itself: the proposals would change with the picture.

    Args:
        x: the picture that it was found in, (1, C, H, W). box: (4,), x1 y1 x2 y2 in pixels.
    """
    if not hasattr(net, "every_box"):
        return _second_stage(net, box, label)
    with torch.no_grad():
        boxes, logits = net.every_box(x)
        shared = _overlap(boxes[0], box, (x.shape[-2], x.shape[-1]))
        same = shared >= shared.max() - 1e-3
        place = int(logits[0, :, label].masked_fill(~same, -torch.inf).argmax())

    def score(pictures: Tensor) -> Tensor:
        said: Tensor = net.every_box(pictures)[1][:, place, label]
        return said

    return score


def _second_stage(net: Any, box: Tensor, label: int) -> Score:
    def score(pictures: Tensor) -> Tensor:
        images = net.sized.images(pictures)
        seen = [one["boxes"] for one in net.sized.truth([{"boxes": box[None]}] * len(pictures), pictures)]
        cut = net.roi_heads.box_roi_pool(net.backbone(images.tensors), seen, images.image_sizes)
        logits: Tensor = net.roi_heads.box_predictor(net.roi_heads.box_head(cut))[0]
        return logits[:, 1 + label]  # the background is the first

    return score


def _overlap(boxes: Tensor, box: Tensor, size: tuple[int, int]) -> Tensor:
    """IoU (N,) with a box, all cut at the edges of a picture of this size, as what is found is."""
    from torchvision.ops import box_iou, clip_boxes_to_image

    return box_iou(clip_boxes_to_image(boxes, size), clip_boxes_to_image(box[None], size))[:, 0].nan_to_num()


def pixels_score(net: nn.Module, number: int, where: Tensor) -> Score:
    """The sum of a class's logits over some pixels (Vinogradova, Dibrov and Myers 2020, "Seg-Grad-CAM").

    Args:
        where: bool (H, W), in most cases those that were given the class.
    """

    def score(x: Tensor) -> Tensor:
        logits: Tensor = net(x)
        return (logits[:, number] * where).sum((1, 2))

    return score
