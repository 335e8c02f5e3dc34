"""DeepLabv3 (Chen, Papandreou, Schroff, Adam 2017, "Rethinking atrous convolution")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import WeightsEnum
from torchvision.models.segmentation import DeepLabV3_ResNet50_Weights, DeepLabV3_ResNet101_Weights
from torchvision.models.segmentation.deeplabv3 import ASPP

from cnnexp.errors import InputError
from cnnexp.models import of_torchvision
from cnnexp.models.bounds import all_at_least_one, at_least_one
from cnnexp.models.dilated import OUT, OutputStride, dilated_body
from cnnexp.models.initialisation import he_init
from cnnexp.models.of_torchvision import set_dropout
from cnnexp.models.published import Published
from cnnexp.models.published_backbones import IMAGENET, of_body, published_backbone
from cnnexp.models.pyramids import SMALL

COCO: dict[str, WeightsEnum] = {
    "resnet50": DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1,
    "resnet101": DeepLabV3_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1,
}
RATES = (6, 12, 18)
"""Of the three 3x3 convolutions at an output stride of 16, as published, for crops of 513 pixels."""
SMALL_RATES = (3, 6, 9)
"""The same part of a picture half as large."""
BACKBONE = "backbone."


class DeepLabV3(nn.Module):
    """A backbone that halves no further than 8 or 16, parallel views of its maps at several rates, and scores of these.

    Atrous spatial pyramid pooling: a 1x1 convolution, three 3x3 convolutions whose pixels lie ``rates`` apart, and the
    mean of the whole picture, each with batch norm, are joined by a 1x1 convolution. The scores are brought to the
    picture's size bilinearly. With `resnet50` and `resnet101` it is torchvision's net, names of the parameters
    included, without the further classifier half way up. Every picture size passes.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K, background included.
        backbone: `small`, or a net of torchvision or timm by name that can be dilated.
        output_stride: of the last maps in pixels; None is 16.
        width, depth: of the small backbone: maps of its first convolution, residual blocks in each stage.
        rates: of the 3x3 convolutions, in pixels of the last maps; None is 6, 12, 18 at an output stride of 16 and
            twice as much at 8, as published, and half of both for the small backbone.
        head_width: maps of each view and behind them; None is 256, as published, and 64 for the small backbone.
        dropout: probability in [0, 1) where the views are joined; None is the published net's 0.5.

    Raises:
        InputError: a number below 1, no such net, or one that cannot be dilated.
    """

    class_layers: ClassVar[tuple[str, ...]] = ("classifier.4",)

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        backbone: str = SMALL,
        output_stride: OutputStride | None = None,
        width: int = 16,
        depth: int = 1,
        rates: tuple[int, ...] | None = None,
        head_width: int | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        stride: OutputStride = output_stride or 16
        usual = SMALL_RATES if backbone == SMALL else RATES
        rates = tuple(rate * 16 // stride for rate in usual) if rates is None else tuple(rates)
        maps = (64 if backbone == SMALL else 256) if head_width is None else head_width
        at_least_one(head_width=maps)
        all_at_least_one(rates=rates)
        self.backbone, last = dilated_body(backbone, in_channels, stride, width, depth)
        self.classifier = nn.Sequential(
            ASPP(last, rates, maps),
            nn.Conv2d(maps, maps, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(maps),
            nn.ReLU(),
            nn.Conv2d(maps, num_classes, kernel_size=1),
        )
        self.classifier.apply(he_init)
        if dropout is not None:
            set_dropout(self.classifier, dropout, "deeplabv3")

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K, H, W) of pictures (B, C, H, W).

        Raises:
            InputError: a single picture in training, of which the mean view's batch norm has one value a map.
        """
        if self.training and len(x) == 1:
            raise InputError(
                "batch_size: one picture alone in a step, or in the last one of an epoch; of it DeepLab's view of the "
                "whole picture has one value a map, and a batch norm needs two; take a batch_size (and accumulate, "
                "data.fraction, processes) that leaves 2 pictures or more to every step"
            )
        return F.interpolate(
            self.classifier(self.backbone(x)[OUT]), size=x.shape[-2:], mode="bilinear", align_corners=False
        )

    def stage_parts(self) -> list[list[str]]:
        """The backbone, and the views with their scores."""
        return [["backbone"], ["classifier"]]


def renamed(
    state: Mapping[str, Tensor], *, backbone: str, output_stride: OutputStride | None, width: int, depth: int
) -> dict[str, Tensor]:
    """A file's tensors by their names in the net; a classifier's are those of its backbone."""
    return of_body(state, lambda: _body(backbone, output_stride, width, depth), BACKBONE)


def published(
    weights: str | None, *, backbone: str, output_stride: OutputStride | None, width: int, depth: int
) -> Published | None:
    """torchvision's weights of COCO for ``resnet50`` and ``resnet101``, ImageNet's for any named backbone."""
    if backbone == SMALL:
        return None
    own = COCO.get(backbone)
    if own is not None and weights in (None, *of_torchvision.DEFAULT, own.name):
        return _of_coco(own, weights)
    return published_backbone(
        weights if weights != IMAGENET else None,
        backbone,
        lambda: _body(backbone, output_stride, width, depth),
        under=BACKBONE,
        task="segmentation",
        target="mask",
    )


def _of_coco(own: WeightsEnum, weights: str | None) -> Published:
    how = own.transforms()

    return Published(
        source=f"torchvision's {own}",
        mean=tuple(how.mean),
        std=tuple(how.std),
        resize_px=0,
        crop_px=0,
        interpolation=how.interpolation.value,
        classes=("background", *own.meta["categories"][1:]),
        load=lambda: of_torchvision.state_of(own, weights),
        task="segmentation",
        target="mask",
        answers="classifier.4.bias",
        trained={"output_stride": 8},
        sized={},
    )


def _body(backbone: str, output_stride: OutputStride | None, width: int, depth: int) -> nn.Module:
    with torch.device("meta"):
        return dilated_body(backbone, 3, output_stride or 16, width, depth)[0]
