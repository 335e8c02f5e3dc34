"""A convolutional autoencoder with a dense bottleneck (after Masci, Meier, Ciresan, Schmidhuber 2011)."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.coder import Coder

SMALLEST_SIDE_PX = 8  # the picture is halved until its longer side is at most this
WIDEST = 8  # the maps are doubled up to this multiple of `width`


class ConvAutoencoder(Coder):
    """Pictures through a code of `bottleneck` numbers: stride-2 convolutions, a linear layer, and the same backwards.

    Differs from the paper, which pools and trains layer by layer: here strides take the place of the pooling and
    transposed convolutions undo them, and all is trained at once. The linear layers are made for the size given to the
    constructor, which may be any. 28x28 pictures become `width` maps of 14x14 and twice as many of 7x7.

    Args:
        in_channels: channels of a picture.
        image_size: height and width of a picture in pixels.
        bottleneck: numbers in the code.
        width: maps after the first convolution; each later one doubles them, up to eight times as many.
        activation: behind each batch norm.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        output: what keeps the pictures between black and white: a sigmoid, or a hyperbolic tangent brought from -1 to 1
            to 0 to 1, as is usual where pictures are generated (Radford 2015, "Unsupervised representation learning",
            section 3). It is a sigmoid of twice the slope.
        sparsity: a mean activity was asked for: the code goes through a sigmoid, so that each unit is between 0 and 1.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        bottleneck: int,
        width: int,
        output: Literal["sigmoid", "tanh"] = "sigmoid",
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        sparsity: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(bottleneck=bottleneck, width=width)
        self.bottleneck, activating = bottleneck, Activating(activation, leaky_slope)
        self.encoder = convolutional_encoder(in_channels, image_size, bottleneck, width, activating)
        if sparsity is not None:
            self.encoder.append(nn.Sigmoid())
        self.decoder = convolutional_decoder(in_channels, image_size, bottleneck, width, activating)
        self.decoder.append(nn.Sigmoid() if output == "sigmoid" else FromTanh())


class FromTanh(nn.Module):
    """(1 + tanh x) / 2, in [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (1 + x.tanh()) / 2


def convolutional_encoder(
    in_channels: int, image_size: tuple[int, int], numbers: int, width: int, activating: Activating
) -> nn.Sequential:
    """Pictures (B, C, H, W) → (B, numbers): convolutions that halve, and a linear layer."""
    widths, sizes = _widths_and_sizes(in_channels, image_size, width)
    smallest = widths[-1] * sizes[-1][0] * sizes[-1][1]
    halving = (_halving(*pair, activating) for pair in pairwise(widths))
    return nn.Sequential(*halving, nn.Flatten(), nn.Linear(smallest, numbers))


def convolutional_decoder(
    in_channels: int, image_size: tuple[int, int], numbers: int, width: int, activating: Activating
) -> nn.Sequential:
    """The way back, (B, numbers) → (B, C, H, W): a linear layer, and transposed convolutions that double."""
    widths, sizes = _widths_and_sizes(in_channels, image_size, width)
    smallest = (widths[-1], *sizes[-1])
    steps = list(zip(pairwise(reversed(widths)), pairwise(reversed(sizes)), strict=True))
    doubling = (
        _doubling(*maps, *side, activating, last=index == len(steps) - 1) for index, (maps, side) in enumerate(steps)
    )
    linear = nn.Linear(numbers, smallest[0] * smallest[1] * smallest[2])
    return nn.Sequential(linear, nn.Unflatten(1, smallest), *doubling)


def _widths_and_sizes(
    in_channels: int, image_size: tuple[int, int], width: int
) -> tuple[list[int], list[tuple[int, int]]]:
    sizes = _sizes(image_size)
    return [in_channels] + [width * min(2**level, WIDEST) for level in range(len(sizes) - 1)], sizes


def _sizes(image_size: tuple[int, int]) -> list[tuple[int, int]]:
    """The picture's size and what each stride-2 convolution leaves of it; at least one convolution."""
    sizes = [image_size]
    while len(sizes) == 1 or max(sizes[-1]) > SMALLEST_SIDE_PX:
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return sizes


def _halving(in_width: int, width: int, activating: Activating) -> nn.Sequential:
    convolution = nn.Conv2d(in_width, width, kernel_size=3, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), activating(width))


def _doubling(
    in_width: int, width: int, size: tuple[int, int], target: tuple[int, int], activating: Activating, *, last: bool
) -> nn.Sequential:
    """The activation, then a transposed convolution from `size` to `target`, which is twice that or one pixel less."""
    extra = (target[0] - 2 * size[0] + 1, target[1] - 2 * size[1] + 1)
    return nn.Sequential(
        nn.BatchNorm2d(in_width),
        activating(in_width),
        nn.ConvTranspose2d(in_width, width, kernel_size=3, stride=2, padding=1, output_padding=extra, bias=last),
    )
