"""Inception v1, GoogLeNet as published (Szegedy et al. 2014, "Going deeper with convolutions")."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from cnnexp.models.activations import RELU, Activating, OneToOne
from cnnexp.models.auxiliary import USUAL_WEIGHT
from cnnexp.models.convolutions import activated
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import filling_for
from cnnexp.models.local_response_norm import LocalResponseNorm
from cnnexp.models.sizes import Size, after, refuse_below
from cnnexp.models.stem import choose_stem

AUXILIARY_DROPOUT = 0.7
AUXILIARY_WIDTH, AUXILIARY_UNITS = 128, 1024

Form = Literal["reduced", "naive"]
Widths = tuple[int, int, int, int, int, int]

# Maps of each module (table 1): 1x1; before the 3x3, 3x3; before the 5x5, 5x5; behind the pool.
MODULES: dict[str, Widths] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
WITH_HEAD = ("4a", "4d")
BEFORE_POOL = ("3b", "4e")
SMALLEST_PX: dict[tuple[str, bool], int] = {
    # stem, auxiliary heads: the side that leaves a pixel to the last module, and 5x5 maps to the heads
    ("imagenet", False): 31,
    ("imagenet", True): 79,
    ("small", False): 4,
    ("small", True): 10,
}


class InceptionV1(nn.Module):
    """GoogLeNet with biases and without batch norm: 22 layers, nine inception modules, one linear layer at the end.

    With three channels, the imagenet stem and 1,000 classes: 6,998,552 parameters, and 13,378,280 with both auxiliary
    heads (which have no part in evaluation). The response normalisation has AlexNet's constants, as the paper gives
    none. torchvision's `googlenet` is a variant with batch norm and 3x3 kernels for 5x5 ones.

    The imagenet stem (7x7 stride 2, pool, 1x1, 3x3, pool) reduces a picture to an eighth; the small one has a 3x3
    convolution of stride 1 in place of the first and no pools.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels.
        modules: `reduced`, with 1x1 convolutions before the larger ones (figure 2b), or `naive`, without (figure 2a).
        auxiliary_heads: two more classifiers, behind modules 4a and 4d, whose losses are learnt with weight 0.3.
        stem: `auto` takes the small one when the shorter side has at most 64 pixels.
        activation: behind each convolution and hidden layer; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping an input of the linear layer; the paper's is 0.4.

    Attributes:
        stem: the choice that was made, `imagenet` or `small`.
        auxiliary_weight: of each auxiliary loss; only with auxiliary heads.

    Raises:
        InputError: a picture that is too small for the stem; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        modules: Form,
        auxiliary_heads: bool,
        stem: Literal["auto", "imagenet", "small"],
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.stem: Literal["imagenet", "small"] = choose_stem(image_size) if stem == "auto" else stem
        with_heads = "with auxiliary heads " if auxiliary_heads else ""
        smallest = SMALLEST_PX[self.stem, auxiliary_heads]
        refuse_below(smallest, image_size, f"model=inception_v1 {with_heads}and its stem for {self.stem} pictures")
        activating = Activating(activation, leaky_slope)
        self.begin, width, size = _begin(in_channels, self.stem == "imagenet", image_size, activating)
        self.inception = nn.ModuleDict()
        self.heads = nn.ModuleDict()
        for name, widths in MODULES.items():
            module = InceptionModule(width, widths, modules, activating)
            self.inception[name], width = module, module.out_width
            if name in WITH_HEAD and auxiliary_heads:
                self.heads[name] = AuxiliaryHead(width, size, num_classes, activating)
            if name in BEFORE_POOL:
                size = after(size, 3, stride=2, ceil=True)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.drop = nn.Sequential(*dropout_layers(dropout))
        self.linear = nn.Linear(width, num_classes)
        self.apply(filling_for(activation))
        if auxiliary_heads:
            self.auxiliary_weight, self.auxiliary_parts = USUAL_WEIGHT, ("heads",)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Logits (B, K) of pictures (B, C, H, W); in training a tuple of them and those of each auxiliary head."""
        x = self.begin(x)
        others: list[Tensor] = []
        for name, module in self.inception.items():
            x = module(x)
            if self.training and name in self.heads:
                others.append(self.heads[name](x))
            if name in BEFORE_POOL:
                x = self.pool(x)
        logits = self.linear(self.drop(x.mean(dim=(2, 3))))
        return (logits, *others) if others else logits

    def stage_parts(self) -> list[list[str]]:
        """Stages as they are frozen or learn: the beginning, the modules of each resolution, the linear layer."""
        resolutions = [
            [
                f"{kind}.{name}"
                for kind, there in (("inception", MODULES), ("heads", self.heads))
                for name in there
                if name[0] == first
            ]
            for first in "345"
        ]
        return [["begin"], *resolutions, ["drop", "linear"]]


class InceptionModule(nn.Module):
    """Four branches side by side: 1x1, 3x3 and 5x5 convolutions and a 3x3 pool (figure 2).

    (B, in_width, H, W) → (B, out_width, H, W). Reduced, a 1x1 convolution stands before the larger ones and behind the
    pool. Naive, there is none, and the pool passes all maps on: 28x28x192 become 416 maps with 303.5 million
    multiplications in module 3a, where the reduced form makes 256 with 128.0 million and 163,696 parameters.

    Args:
        widths: maps of the 1x1; before the 3x3, of the 3x3; before the 5x5, of the 5x5; behind the pool.

    Attributes:
        out_width: maps of all branches.
    """

    def __init__(self, in_width: int, widths: Widths, form: Form, activating: Activating = RELU) -> None:
        super().__init__()
        one, reduced3, three, reduced5, five, projected = widths
        pool = nn.MaxPool2d(3, stride=1, padding=1)
        layers = partial(activated, activating=activating)
        self.branch1 = nn.Sequential(*layers(in_width, one, 1))
        if form == "reduced":
            self.branch3 = nn.Sequential(*layers(in_width, reduced3, 1), *layers(reduced3, three, 3))
            self.branch5 = nn.Sequential(*layers(in_width, reduced5, 1), *layers(reduced5, five, 5))
            self.branch_pool = nn.Sequential(pool, *layers(in_width, projected, 1))
        else:
            self.branch3 = nn.Sequential(*layers(in_width, three, 3))
            self.branch5 = nn.Sequential(*layers(in_width, five, 5))
            self.branch_pool = nn.Sequential(pool)
        self.out_width = one + three + five + (projected if form == "reduced" else in_width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], 1)


class AuxiliaryHead(nn.Sequential):
    """Mean over 5x5 windows every 3 pixels, 1x1 convolution, linear layer, dropout 0.7, logits (section 5).

    Args:
        size: height and width of the maps that come in, (B, width, *size).
    """

    def __init__(self, width: int, size: Size, num_classes: int, activating: Activating) -> None:
        height, breadth = after(size, 5, stride=3)
        super().__init__(
            OrderedDict(
                {
                    "pool": nn.AvgPool2d(5, stride=3),
                    "conv": nn.Sequential(*activated(width, AUXILIARY_WIDTH, 1, activating=activating)),
                    "flatten": nn.Flatten(),
                    "fc": nn.Linear(AUXILIARY_WIDTH * height * breadth, AUXILIARY_UNITS),
                    activating.name: activating(AUXILIARY_UNITS),
                    "drop": nn.Dropout(AUXILIARY_DROPOUT),
                    "linear": nn.Linear(AUXILIARY_UNITS, num_classes),
                }
            )
        )


def _begin(in_channels: int, imagenet: bool, size: Size, activating: Activating) -> tuple[nn.Sequential, int, Size]:
    """What stands before the modules, its maps and their size."""
    kernel_size, stride = (7, 2) if imagenet else (3, 1)
    pools: list[list[nn.Module]] = [[nn.MaxPool2d(3, 2, ceil_mode=True)] if imagenet else [] for _ in range(2)]
    layers = nn.Sequential(
        *activated(in_channels, 64, kernel_size, stride=stride, activating=activating),
        *pools[0],
        LocalResponseNorm(),
        *activated(64, 64, 1, activating=activating),
        *activated(64, 192, 3, activating=activating),
        LocalResponseNorm(),
        *pools[1],
    )
    if imagenet:
        size = after(size, kernel_size, stride, padding=3)
        for _ in range(2):
            size = after(size, 3, stride=2, ceil=True)
    return layers, 192, size
