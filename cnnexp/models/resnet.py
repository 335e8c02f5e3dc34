"""Residual networks for photographs (He, Zhang, Ren, Sun 2015, table 1), torchvision's, with a stem that fits."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn
from torchvision.models import resnet as torchvision_resnet

from cnnexp.errors import InputError
from cnnexp.models import of_torchvision
from cnnexp.models.published import Published
from cnnexp.models.stem import choose_stem
from cnnexp.models.stochastic_depth import drop_residuals, refuse_skipping

Block = type[torchvision_resnet.BasicBlock] | type[torchvision_resnet.Bottleneck]

BLOCKS: dict[int, tuple[Block, list[int]]] = {
    18: (torchvision_resnet.BasicBlock, [2, 2, 2, 2]),
    34: (torchvision_resnet.BasicBlock, [3, 4, 6, 3]),
    50: (torchvision_resnet.Bottleneck, [3, 4, 6, 3]),
    101: (torchvision_resnet.Bottleneck, [3, 4, 23, 3]),
    152: (torchvision_resnet.Bottleneck, [3, 8, 36, 3]),
}

STEM_WIDTH = 64


class PlainBlock(torchvision_resnet.BasicBlock):
    """The two convolutions of a residual block, without its shortcut: relu(F(x))."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.downsample = None

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)))


class ResNet(torchvision_resnet.ResNet):
    """ResNet-18, 34, 50, 101 or 152: logits (B, K) of pictures (B, C, H, W) of any size.

    The layers and their names are torchvision's, so its weights fit (from ResNet-50 on, the stride stands in the 3x3
    convolution and not, as in the paper, in the first 1x1). With the imagenet stem, three channels and 1,000 classes:
    11,689,512 parameters at depth 18 and 25,557,032 at depth 50.

    The imagenet stem (7x7 stride 2, then a 3x3 pool of stride 2) would reduce a 32x32 picture to 1x1 before the last
    stage. The small stem is a 3x3 convolution of stride 1 without a pool.

    Without shortcuts it is the paper's plain net (figure 3, middle): 11,515,688 parameters at depth 18 and 21,623,848
    at depth 34, which are fewer because some shortcuts have weights.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels; only `stem="auto"` looks at it.
        depth: number of layers with weights.
        stem: `auto` takes the small one when the shorter side has at most 64 pixels.
        stochastic_depth: probability in [0, 1) that the last block's residual is left out for a sample; it rises
            linearly from 0 at the input.
        shortcuts: False leaves them out, for depth 18 and 34.

    Raises:
        InputError: a plain net of another depth, or one whose blocks are to be skipped.

    Attributes:
        stem: the choice that was made, `imagenet` or `small`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        depth: Literal[18, 34, 50, 101, 152],
        stem: Literal["auto", "imagenet", "small"],
        stochastic_depth: float | None = None,
        shortcuts: bool = True,
    ) -> None:
        block, layers = BLOCKS[depth] if shortcuts else _plain(depth, stochastic_depth)
        super().__init__(block, layers, num_classes=num_classes)
        self.stem: Literal["imagenet", "small"] = choose_stem(image_size) if stem == "auto" else stem
        if self.stem == "small":
            self.conv1 = _stem_convolution(in_channels, kernel_size=3, stride=1)
            self.maxpool = nn.Identity()
        elif in_channels != self.conv1.in_channels:
            self.conv1 = _stem_convolution(in_channels, kernel_size=7, stride=2)
        if stochastic_depth is not None:
            self._drop_residuals(stochastic_depth)

    def _drop_residuals(self, probability: float) -> None:
        """After the last norm of each block: what stands there is added to the shortcut. Names of weights stay."""
        last = "bn3" if self.layer1[0].expansion == 4 else "bn2"
        blocks = [block for stage in (self.layer1, self.layer2, self.layer3, self.layer4) for block in stage]
        norms = [getattr(block, last) for block in blocks]
        drop_residuals(norms, "drop", probability)
        for norm in norms:
            norm.register_forward_hook(_drop)


def published(weights: str | None, *, depth: int) -> Published:
    """What torchvision says of its weights for this depth."""
    return of_torchvision.published(weights, name=f"resnet{depth}")


def _drop(norm: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> Tensor:
    """A hook; it asks the norm itself, so that a copy of the net has its own."""
    return norm.drop(out)  # type: ignore[operator]


def _plain(depth: int, stochastic_depth: float | None) -> tuple[Block, list[int]]:
    refuse_skipping(stochastic_depth)
    if BLOCKS[depth][0] is not torchvision_resnet.BasicBlock:
        raise InputError(f"model.depth={depth}: with model.shortcuts=false it must be 18 or 34, the paper's plain nets")
    return PlainBlock, BLOCKS[depth][1]


def _stem_convolution(in_channels: int, kernel_size: int, stride: int) -> nn.Conv2d:
    convolution = nn.Conv2d(in_channels, STEM_WIDTH, kernel_size, stride, padding=kernel_size // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")  # as torchvision fills the others
    return convolution
