"""Backbones whose last stages see further instead of halving the resolution: atrous convolutions (Chen et al. 2017)."""

from __future__ import annotations

from typing import Any, Literal

import timm
from torch import Tensor, nn
from torchvision import models
from torchvision.models._utils import IntermediateLayerGetter

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import he_init
from cnnexp.models.of_torchvision import take_channels
from cnnexp.models.published_backbones import is_timms
from cnnexp.models.pyramids import SMALL, TIMM
from cnnexp.models.small_backbone import GROUP, Block, convolution

OutputStride = Literal[8, 16]
OUT = "out"


class SmallDilated(nn.Module):
    """Residual blocks with group norm, four stages behind a first convolution, down to a stride of 8 or 16.

    A stage that halves no more has its 3x3 convolutions look 2 pixels apart, the next one 4: each sees as far as if it
    did.

    Args:
        in_channels: channels of a picture.
        width: maps of the first convolution, a multiple of 8; the stages have 1, 2, 4 and 8 times as many.
        depth: residual blocks in each stage.
        output_stride: of the last maps, in pixels.
    """

    def __init__(self, *, in_channels: int, width: int, depth: int, output_stride: OutputStride) -> None:
        super().__init__()
        self.stem = convolution(in_channels, width, stride=2)
        self.stages = nn.ModuleList()
        stride, dilation, before = 2, 1, width
        for level in range(4):
            halved = stride < output_stride
            stride, dilation = (2 * stride, 1) if halved else (stride, 2 * dilation)
            first = Block(before, width * 2**level, stride=2 if halved else 1, dilation=dilation)
            before = width * 2**level
            self.stages.append(
                nn.Sequential(first, *(Block(before, before, dilation=dilation) for _ in range(depth - 1)))
            )
        self.width = before
        """Maps of the last stage."""
        self.apply(he_init)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Pictures (B, C, H, W) → ``out`` (B, 8 width, ceil(H / output_stride), …)."""
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return {OUT: x}


def dilated_body(
    name: str, in_channels: int, output_stride: OutputStride, width: int, depth: int
) -> tuple[nn.Module, int]:
    """A net that answers ``out``, its last maps at that stride, and how many there are.

    Args:
        name: ``small``, or a net of torchvision or timm. width, depth: of the small one.

    Raises:
        InputError: there is no such net, or it cannot keep that resolution; a number that makes none.
    """
    if name == SMALL:
        at_least_one(width=width, depth=depth)
        if width % GROUP:
            raise InputError(f"model.width={width}: norms are over groups of {GROUP} maps; take a multiple of it")
        body = SmallDilated(in_channels=in_channels, width=width, depth=depth, output_stride=output_stride)
        return body, body.width
    return (_of_timm if is_timms(name) else _of_torchvision)(name.removeprefix(TIMM), in_channels, output_stride)


def _of_torchvision(name: str, in_channels: int, output_stride: OutputStride) -> tuple[nn.Module, int]:
    dilated = [False, output_stride == 8, True]
    try:
        net: Any = models.get_model(name, weights=None, replace_stride_with_dilation=dilated)
        body = IntermediateLayerGetter(net, {"layer4": OUT})
    except (TypeError, NotImplementedError, ValueError) as error:  # no such argument, blocks that refuse it, no layer4
        raise InputError(
            f"model.backbone={name}: torchvision's cannot keep its resolution by atrous convolutions; take {SMALL}, "
            "resnet50, resnet101 or another of its nets of bottlenecks, or one of timm, such as timm/resnet18"
        ) from error
    if in_channels != 3:
        take_channels(body, in_channels)
    return body, net.fc.in_features


def _of_timm(name: str, in_channels: int, output_stride: OutputStride) -> tuple[nn.Module, int]:
    if not timm.is_model(name):
        known = [SMALL, *models.list_models(module=models), *timm.list_models()]
        hint = did_you_mean(name, known) or "torchvision.models.list_models() and timm.list_models() name all of them"
        raise InputError(f"model.backbone={name}: neither {SMALL} nor a net of torchvision or timm; {hint}")
    try:
        net: Any = timm.create_model(
            name, features_only=True, in_chans=in_channels, output_stride=output_stride, out_indices=[-1]
        )
        reached = net.feature_info.reduction()[-1]
    except (RuntimeError, AttributeError, TypeError, AssertionError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"model.backbone={name}: timm has no feature maps of it at a stride of {output_stride} ({error}); take a "
            "residual net"
        ) from error
    if reached != output_stride:
        raise InputError(
            f"model.backbone={name}: timm's has its last maps at a stride of {reached}, and model.output_stride is "
            f"{output_stride}; take a residual net"
        )
    return _LastOfTimm(net), net.feature_info.channels()[-1]


class _LastOfTimm(nn.Module):
    """timm's list of one map by name."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        (last,) = self.net(x)
        return {OUT: last}
