"""Residual networks for 32x32 pictures (He, Zhang, Ren, Sun 2015, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import RELU, Activating, OneToOne
from cnnexp.models.initialisation import filling_for
from cnnexp.models.place_head import PlaceHead
from cnnexp.models.stochastic_depth import drop_residuals, refuse_skipping

STAGE_WIDTHS = (16, 32, 64)


class CifarResNet(nn.Module):
    """ResNet-20, 32, 44, 56 or 110: 6n + 2 layers with 16, 32 and 64 maps and shortcuts without parameters.

    A 3x3 convolution, three stages of n residual blocks (the second and third begin with stride 2), global average
    pooling and one linear layer. ResNet-20 has 269,722 parameters on three channels and ten classes. Pictures of any
    size pass; the paper's are 32x32. Without shortcuts it is the paper's plain net, with the same number of parameters.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        depth: number of layers with weights, 6n + 2 with n >= 1.
        stochastic_depth: probability in [0, 1) that the last block's residual is left out for a sample; it rises
            linearly from 0 at the input (Huang et al. 2016, "Deep networks with stochastic depth", equation 4).
        shortcuts: False leaves them out.
        activation: behind each batch norm, and behind each sum; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        unclassed: outputs that say where something is and not what; they come last, from a head that keeps place.

    Raises:
        InputError: `depth` is not 6n + 2; blocks are to be skipped that have no shortcuts; a slope for an
            activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        depth: int,
        stochastic_depth: float | None = None,
        shortcuts: bool = True,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        unclassed: int = 0,
    ) -> None:
        super().__init__()
        if not shortcuts:
            refuse_skipping(stochastic_depth)
        blocks = (depth - 2) // 6
        if blocks < 1 or depth != 6 * blocks + 2:
            below = 6 * max(blocks, 1) + 2
            raise InputError(f"model.depth={depth}: must be 6n + 2; the nearest are {below} and {below + 6}")
        self.conv1 = nn.Conv2d(in_channels, STAGE_WIDTHS[0], kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(STAGE_WIDTHS[0])
        activating = Activating(activation, leaky_slope)
        self.act1 = activating(STAGE_WIDTHS[0])
        block = partial(BasicBlock if shortcuts else PlainBlock, activating=activating)
        self.layer1 = _stage(block, STAGE_WIDTHS[0], STAGE_WIDTHS[0], blocks, stride=1)
        self.layer2 = _stage(block, STAGE_WIDTHS[0], STAGE_WIDTHS[1], blocks, stride=2)
        self.layer3 = _stage(block, STAGE_WIDTHS[1], STAGE_WIDTHS[2], blocks, stride=2)
        self.linear = nn.Linear(STAGE_WIDTHS[2], num_classes - unclassed)
        self.apply(filling_for(activation))
        self.place = PlaceHead(STAGE_WIDTHS[2], unclassed) if unclassed else None
        self.class_layers = ("linear",) if self.place is None else ("linear", "place.linear")
        drop_residuals([*self.layer1, *self.layer2, *self.layer3], "drop", stochastic_depth)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        x = self.act1(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        classes = self.linear(x.mean(dim=(2, 3)))
        return classes if self.place is None else torch.cat([classes, self.place(x)], 1)

    def class_rows(self, numbers: Sequence[int]) -> dict[str, list[int]]:
        """The rows of each answering layer for its classes in another order; what says where stays."""
        where = {} if self.place is None else {"place.linear": list(range(self.place.linear.out_features))}
        return {"linear": list(numbers), **where}


class BasicBlock(nn.Module):
    """act(F(x) + shortcut(x)) with F two 3x3 convolutions, each with batch norm (figure 2 of the paper)."""

    def __init__(self, in_width: int, width: int, stride: int, activating: Activating = RELU) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.act1 = activating(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.act2 = activating(width)
        self.drop: nn.Module = nn.Identity()
        self.shortcut = nn.Identity() if (in_width, stride) == (width, 1) else OptionAShortcut(in_width, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.act1(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return self.act2(self.drop(residual) + self.shortcut(x))


class OptionAShortcut(nn.Module):
    """The paper's option A: every `stride`-th pixel, and zeros for the maps that are new. It has no parameters.

    The old maps stand in the middle: (B, C, H, W) becomes (B, width, ceil(H / stride), ceil(W / stride)) with
    (width - C) / 2 maps of zeros before them and as many after.
    """

    def __init__(self, in_width: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        before = (width - in_width) // 2
        self.padding = (0, 0, 0, 0, before, width - in_width - before)

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], self.padding)


class PlainBlock(nn.Module):
    """The two convolutions of a residual block, without its shortcut: act(F(x))."""

    def __init__(self, in_width: int, width: int, stride: int, activating: Activating = RELU) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.act1 = activating(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.act2 = activating(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv1(x)))
        return self.act2(self.bn2(self.conv2(x)))


def _stage(
    block: Callable[[int, int, int], nn.Module], in_width: int, width: int, blocks: int, stride: int
) -> nn.Sequential:
    widths = [in_width] + [width] * blocks
    strides = [stride] + [1] * (blocks - 1)
    return nn.Sequential(*(block(*pair, step) for pair, step in zip(pairwise(widths), strides, strict=True)))
