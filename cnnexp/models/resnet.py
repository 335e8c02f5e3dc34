"""Residual networks for photographs (He, Zhang, Ren, Sun 2015, table 1), torchvision's, with a stem that fits."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import Tensor, nn
from torchvision.models import resnet as torchvision_resnet

from cnnexp.errors import InputError
from cnnexp.models import of_torchvision
from cnnexp.models.activations import SATURATING, Activating, OneToOne
from cnnexp.models.initialisation import glorot_init
from cnnexp.models.published import Published
from cnnexp.models.stem import choose_stem
from cnnexp.models.stochastic_depth import drop_residuals, refuse_skipping

STEM_WIDTH = 64


class BasicBlock(torchvision_resnet.BasicBlock):
    """torchvision's, whose activations may be layers of their own: act(F(x) + shortcut(x)) with act in F too.

    Attributes:
        places: names of the activations, and of the norm in front of each. Where they are ReLUs, all of them are the
            one that torchvision's block has.
    """

    places: ClassVar[dict[str, str]] = {"act1": "bn1", "relu": "bn2"}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.act1: nn.Module = self.relu

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class Bottleneck(torchvision_resnet.Bottleneck):
    """The same of a 1x1, a 3x3 and a 1x1 convolution."""

    places: ClassVar[dict[str, str]] = {"act1": "bn1", "act2": "bn2", "relu": "bn3"}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.act1: nn.Module = self.relu
        self.act2: nn.Module = self.relu

    def forward(self, x: Tensor) -> Tensor:
        out = self.act2(self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x))))))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class PlainBlock(torchvision_resnet.BasicBlock):
    """The two convolutions of a residual block, without its shortcut: act(F(x))."""

    places: ClassVar[dict[str, str]] = BasicBlock.places

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.downsample = None
        self.act1: nn.Module = self.relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)))


Block = type[BasicBlock] | type[Bottleneck] | type[PlainBlock]

BLOCKS: dict[int, tuple[Block, list[int]]] = {
    18: (BasicBlock, [2, 2, 2, 2]),
    34: (BasicBlock, [3, 4, 6, 3]),
    50: (Bottleneck, [3, 4, 6, 3]),
    101: (Bottleneck, [3, 4, 23, 3]),
    152: (Bottleneck, [3, 8, 36, 3]),
}


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
        activation: behind each batch norm, and behind each sum; the paper's is ReLU. What does not saturate begins as
            a ReLU does, tanh and sigmoid with Glorot's variance.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.

    Raises:
        InputError: a plain net of another depth, or one whose blocks are to be skipped; a slope for an
            activation that has none.

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
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
    ) -> None:
        block, layers = BLOCKS[depth] if shortcuts else _plain(depth, stochastic_depth)
        super().__init__(block, layers, num_classes=num_classes)
        self.stem: Literal["imagenet", "small"] = choose_stem(image_size) if stem == "auto" else stem
        if self.stem == "small":
            self.conv1 = _stem_convolution(in_channels, kernel_size=3, stride=1)
            self.maxpool = nn.Identity()
        elif in_channels != self.conv1.in_channels:
            self.conv1 = _stem_convolution(in_channels, kernel_size=7, stride=2)
        self._activate(Activating(activation, leaky_slope))
        if stochastic_depth is not None:
            self._drop_residuals(stochastic_depth)

    def _activate(self, activating: Activating) -> None:
        """Put layers of another activation in place of torchvision's ReLUs."""
        made = activating(STEM_WIDTH)
        if activating.name == "relu":
            return
        self.relu = made
        for block in self._blocks():
            for name, norm in block.places.items():
                setattr(block, name, activating(getattr(block, norm).num_features))
        if activating.name in SATURATING:
            self.apply(glorot_init)

    def _blocks(self) -> list[Any]:
        return [block for stage in (self.layer1, self.layer2, self.layer3, self.layer4) for block in stage]

    def _drop_residuals(self, probability: float) -> None:
        """After the last norm of each block: what stands there is added to the shortcut. Names of weights stay."""
        last = "bn3" if self.layer1[0].expansion == 4 else "bn2"
        norms = [getattr(block, last) for block in self._blocks()]
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
    if BLOCKS[depth][0] is not BasicBlock:
        raise InputError(f"model.depth={depth}: with model.shortcuts=false it must be 18 or 34, the paper's plain nets")
    return PlainBlock, BLOCKS[depth][1]


def _stem_convolution(in_channels: int, kernel_size: int, stride: int) -> nn.Conv2d:
    convolution = nn.Conv2d(in_channels, STEM_WIDTH, kernel_size, stride, padding=kernel_size // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")  # as torchvision fills the others
    return convolution
