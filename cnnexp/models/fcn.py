"""Fully convolutional nets (Long, Shelhamer, Darrell 2015): FCN-32s, FCN-16s and FCN-8s on a VGG net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.models import of_torchvision
from cnnexp.models.bilinear import BilinearUpsampling
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import he_init
from cnnexp.models.published import Published
from cnnexp.models.published_backbones import IMAGENET

Form = Literal["small", "vgg16"]
Norm = Literal["none", "batch"]
Upsampling = Literal["published", "fixed", "learnt"]

CONVOLUTIONS: dict[Form, tuple[int, ...]] = {"small": (1, 1, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3)}
"""3x3 convolutions before each pool: columns A and D of VGG's table 1."""
FACTORS = (1, 2, 4, 8, 8)
"""Maps at the five resolutions, as multiples of the width."""
WIDTHS: dict[Form, int] = {"small": 16, "vgg16": 64}
HIDDEN: dict[Form, int] = {"small": 16, "vgg16": 64}
"""Maps of FC6 and FC7, as multiples of the width."""
NORMS: dict[Form, Norm] = {"small": "batch", "vgg16": "none"}
PADDINGS: dict[Form, int] = {"small": 1, "vgg16": 100}
KERNEL = 7
"""Of FC6: the pixels that the last maps of a 224x224 picture have along a side."""
ENOUGH = 81
"""Zeros around the picture from which on an FC6 without padding has an answer for its corners."""
FIRST_STD = 0.01
_CLASSIFIER = {"classifier.0.": "fc6.", "classifier.3.": "fc7.", "classifier.6.": "head.score."}


@dataclass(frozen=True)
class Grid:
    """Where in the picture the pixels of a map lie: pixel i has its middle at ``first + stride * i``, in pixels."""

    stride: int
    first: float

    def upsampled(self, factor: int) -> Grid:
        """Behind a transposed convolution of that stride, twice as large as it."""
        return Grid(self.stride // factor, self.first - self.stride * (2 * factor - 1) / (2 * factor))

    def offset(self, other: Grid) -> int:
        """The number that the other map's pixel has at the place of this one's first; below 0 it lies outside."""
        return round((self.first - other.first) / self.stride)


class FCN(nn.Module):
    """A classifier turned into convolutions, its scores brought back to the size of the picture.

    Scores at a stride of 32 are doubled in size and summed with scores of pool4 (16s), again with those of pool3 (8s),
    and what is left of the stride is bridged at once. `vgg16` is the paper's net, 134,346,581 parameters as FCN-32s of
    21 classes: zeros of 100 pixels around the picture, FC6 without padding, maps cut to where they lie over each other
    (5 and 9 pixels, and 19, 27 or 31 at the end). Differs from the paper in that the score layer of FC7 begins with a
    deviation of 0.01, for which the paper has zero; those of the skips begin with zero, as there. `small` has the same
    form with one or two convolutions before each pool, few maps and a batch norm behind each convolution, which the
    paper does not have: it learns from nothing. Every picture size passes.

    Names of parameters are the same in all three, so that a 16s begins where a 32s ended, and an 8s where a 16s did.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K, background included.
        stride: of the finest scores in pixels; 32, 16 or 8.
        backbone: `small`, or `vgg16` with torchvision's names.
        width: maps at full resolution; None is 16 of the small net, 64 of VGG-16.
        norm: `batch` puts batch norm behind each convolution but the scores; None has it in the small net.
        padding: zeros around the picture in pixels; None is 100 for VGG-16, 1 for the small net. Below 81 FC6 pads its
            own maps by 3, so that the corners have answers.
        upsampling: `published` learns the doublings and leaves the last step as it begins, bilinear; `fixed` leaves
            all so, `learnt` learns all.
        dropout: probability in [0, 1) behind FC6 and FC7; None is the paper's 0.5.

    Raises:
        InputError: a number below 1.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        stride: Literal[32, 16, 8],
        backbone: Form = "small",
        width: int | None = None,
        norm: Norm | None = None,
        padding: int | None = None,
        upsampling: Upsampling = "published",
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        width = WIDTHS[backbone] if width is None else width
        padding = PADDINGS[backbone] if padding is None else padding
        at_least_one(width=width, padding=padding)
        batch = (norm or NORMS[backbone]) == "batch"
        widths, hidden = [width * factor for factor in FACTORS], width * HIDDEN[backbone]
        around = 0 if padding >= ENOUGH else KERNEL // 2
        self.features = _features(in_channels, widths, CONVOLUTIONS[backbone], batch, padding)
        self.fc6 = nn.Conv2d(widths[-1], hidden, KERNEL, padding=around, bias=not batch)
        self.norm6 = nn.BatchNorm2d(hidden) if batch else nn.Identity()
        self.fc7 = nn.Conv2d(hidden, hidden, kernel_size=1, bias=not batch)
        self.norm7 = nn.BatchNorm2d(hidden) if batch else nn.Identity()
        self.drop = nn.Dropout(0.5 if dropout is None else dropout)
        self.apply(he_init)
        grids = {2**pools: Grid(2**pools, (2**pools - 1) / 2 + 1 - padding) for pools in (3, 4, 5)}
        deep = Grid(32, grids[32].first + 32 * (KERNEL // 2 - around))
        skips = {stride: (widths[stride.bit_length() - 2], grids[stride]) for stride in (16, 8)}
        self.head = Scores(num_classes, hidden, deep, skips, stride, upsampling)
        self.class_layers = tuple(f"head.{name}" for name in self.head.layers)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K, H, W) of pictures (B, C, H, W)."""
        height, width = x.shape[-2:]
        return self.head(self.maps(x), (height, width))

    def maps(self, x: Tensor) -> dict[int, Tensor]:
        """Pictures (B, C, H, W) → maps by their stride: pool3 at 8, pool4 at 16, FC7 at 32."""
        found, stride = {}, 1
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                stride *= 2
                found[stride] = x
        x = self.drop(F.relu(self.norm6(self.fc6(x))))
        found[stride] = self.drop(F.relu(self.norm7(self.fc7(x))))
        return {stride: found[stride] for stride in (8, 16, 32)}

    def stage_parts(self) -> list[list[str]]:
        """The five resolutions, what was the classifier's hidden layers, and all that is new: for stages of the net."""
        pools = [place for place, layer in enumerate(self.features) if isinstance(layer, nn.MaxPool2d)]
        blocks = [
            [f"features.{place}" for place in range(first + 1, last + 1)] for first, last in pairwise([-1, *pools])
        ]
        return [*blocks, ["fc6", "norm6", "fc7", "norm7", "drop"], ["head"]]

    def class_rows(self, numbers: Sequence[int]) -> dict[str, list[int]]:
        """The rows of the score layers for the classes in another order."""
        return {name: list(numbers) for name in self.class_layers}


class Scores(nn.Module):
    """1x1 convolutions to scores of the classes at one, two or three strides, their sum at the picture's size.

    Args:
        hidden: maps of FC7. deep: where they lie. skips: by the stride, how many maps a pool has, and where they lie.
        stride: of the finest scores.
    """

    POOLS: ClassVar[dict[int, str]] = {16: "pool4", 8: "pool3"}

    def __init__(
        self,
        num_classes: int,
        hidden: int,
        deep: Grid,
        skips: Mapping[int, tuple[int, Grid]],
        stride: int,
        upsampling: Upsampling,
    ) -> None:
        super().__init__()
        self.layers, self.offsets, grid = ["score"], {}, deep
        self.score = nn.Conv2d(hidden, num_classes, kernel_size=1)
        nn.init.normal_(self.score.weight, std=FIRST_STD)
        nn.init.zeros_(self.score.bias)  # type: ignore[arg-type]
        for at in (16, 8):
            if at < stride:
                break
            maps, own = skips[at]
            score = nn.Conv2d(maps, num_classes, kernel_size=1)
            nn.init.zeros_(score.weight)
            nn.init.zeros_(score.bias)  # type: ignore[arg-type]
            self.layers.append(f"score_{self.POOLS[at]}")
            self.add_module(self.layers[-1], score)
            self.add_module(f"to_{self.POOLS[at]}", BilinearUpsampling(num_classes, 2, upsampling != "fixed"))
            doubled = grid.upsampled(2)
            self.offsets[at] = doubled.offset(own)
            grid = doubled if self.offsets[at] >= 0 else own
        self.to_picture = BilinearUpsampling(num_classes, stride, upsampling == "learnt")
        self.crop = -grid.upsampled(stride).offset(Grid(1, 0.0))
        """Pixels that are cut off at the top and at the left of the last step's answer."""

    def forward(self, maps: Mapping[int, Tensor], size: tuple[int, int]) -> Tensor:
        """Logits (B, K, H, W) of maps by their strides, for a picture of that height and width."""
        x = self.score(maps[32])
        for at, offset in self.offsets.items():
            name = self.POOLS[at]
            raised, own = self.get_submodule(f"to_{name}")(x), self.get_submodule(f"score_{name}")(maps[at])
            x = raised + _cut(own, offset, raised) if offset >= 0 else _cut(raised, -offset, own) + own
        x = self.to_picture(x)
        return x[..., self.crop : self.crop + size[0], self.crop : self.crop + size[1]]


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with a VGG classifier's linear layers, of torchvision's names, as convolutions; others as they are.

    The first of them looks at 7x7 maps, (O, C·49) → (O, C, 7, 7), the others at one pixel.
    """
    found = {}
    for name, value in state.items():
        old = next((old for old in _CLASSIFIER if name.startswith(old)), None)
        if old is not None:
            side = KERNEL if old == "classifier.0." else 1
            name = _CLASSIFIER[old] + name.removeprefix(old)
            value = value.unflatten(1, (-1, side, side)) if value.ndim == 2 else value
        found[name] = value
    return found


def published(weights: str | None, *, backbone: Form, norm: Norm | None) -> Published | None:
    """torchvision's weights of ImageNet for VGG-16, turned into convolutions; behind FC7 all is fresh."""
    if backbone != "vgg16":
        return None
    name = "vgg16_bn" if norm == "batch" else "vgg16"
    whole = of_torchvision.published(of_torchvision.DEFAULT[0] if weights == IMAGENET else weights, name=name)
    return replace(
        whole,
        source=f"{whole.source}, turned into convolutions",
        classes=(),
        load=lambda: renamed(whole.load()),
        task="segmentation",
        target="mask",
    )


def _features(
    in_channels: int, widths: Sequence[int], convolutions: Sequence[int], batch: bool, padding: int
) -> nn.Sequential:
    """As torchvision names them; pools round up, as in the paper's program, so that no row is left out."""
    layers: list[nn.Module] = []
    for count, width in zip(convolutions, widths, strict=True):
        for _ in range(count):
            around = 1 if layers else padding
            layers.append(nn.Conv2d(in_channels, width, kernel_size=3, padding=around, bias=not batch))
            layers += [nn.BatchNorm2d(width)] if batch else []
            layers.append(nn.ReLU(inplace=True))
            in_channels = width
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return nn.Sequential(*layers)


def _cut(x: Tensor, offset: int, like: Tensor) -> Tensor:
    """The part of a map that lies under another one."""
    height, width = like.shape[-2:]
    return x[..., offset : offset + height, offset : offset + width]
