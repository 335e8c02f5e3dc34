"""Densely connected nets for 32x32 pictures (Huang, Liu, van der Maaten, Weinberger 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import RELU, Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import filling_for
from cnnexp.models.sizes import refuse_below

BLOCKS = 3
SMALLEST_PX = 4  # halved twice


class CifarDenseNet(nn.Module):
    """DenseNet of 3n + 4 layers without bottlenecks: three blocks in which every layer sees all maps before it.

    A 3x3 convolution, three blocks of n layers (batch norm, ReLU, 3x3 convolution with `growth` maps, put beside what
    came in), a transition behind the first two (batch norm, ReLU, 1x1 convolution that keeps the number of maps, 2x2
    average pool), batch norm, ReLU, global average pooling and one linear layer (section 3). Depth 40 with growth 12
    and a first convolution of 16 maps has 1,019,722 parameters on three channels and ten classes.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels, at least 4.
        depth: number of layers with weights, 3n + 4 with n >= 1.
        growth: maps that each layer adds, k in the paper.
        first_width: maps of the first convolution.
        activation: behind each batch norm; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a value behind each convolution of a block and a transition; the
            paper's is 0.2 where pictures are not augmented. None for no dropout.

    Raises:
        InputError: `depth` is not 3n + 4, a width is below 1, a picture below 4x4; a slope for an
            activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        depth: int,
        growth: int,
        first_width: int,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(growth=growth, first_width=first_width)
        refuse_below(SMALLEST_PX, image_size, "model=densenet40", usual_px=32)
        layers, activating = layers_in_block(depth), Activating(activation, leaky_slope)
        self.conv1 = nn.Conv2d(in_channels, first_width, kernel_size=3, padding=1, bias=False)
        self.features = nn.Sequential()
        width = first_width
        for number in range(1, BLOCKS + 1):
            block = DenseBlock(width, layers, growth, dropout, activating)
            self.features.add_module(f"block{number}", block)
            width = block.out_width
            if number < BLOCKS:
                self.features.add_module(f"transition{number}", _transition(width, dropout, activating))
        self.features.add_module("norm", nn.BatchNorm2d(width))
        self.features.add_module(activating.name, activating(width))
        self.linear = nn.Linear(width, num_classes)
        self.apply(filling_for(activation))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        return self.linear(self.features(self.conv1(x)).mean(dim=(2, 3)))


class DenseBlock(nn.Module):
    """x, f₁(x), f₂([x, f₁(x)]), … side by side: (B, width, H, W) → (B, width + layers · growth, H, W) (equation 2)."""

    def __init__(
        self, width: int, layers: int, growth: int, dropout: float | None, activating: Activating = RELU
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _layer(width + place * growth, growth, dropout, activating) for place in range(layers)
        )
        self.out_width = width + layers * growth

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


def layers_in_block(depth: int) -> int:
    """n of a net of 3n + 4 layers.

    Raises:
        InputError: `depth` is no such number.
    """
    layers = (depth - BLOCKS - 1) // BLOCKS
    if layers < 1 or depth != BLOCKS * layers + BLOCKS + 1:
        below = BLOCKS * max(layers, 1) + BLOCKS + 1
        raise InputError(f"model.depth={depth}: must be 3n + 4; the nearest are {below} and {below + BLOCKS}")
    return layers


def _layer(in_width: int, growth: int, dropout: float | None, activating: Activating) -> nn.Sequential:
    convolution = nn.Conv2d(in_width, growth, kernel_size=3, padding=1, bias=False)
    return nn.Sequential(nn.BatchNorm2d(in_width), activating(in_width), convolution, *dropout_layers(dropout))


def _transition(width: int, dropout: float | None, activating: Activating) -> nn.Sequential:
    convolution = nn.Conv2d(width, width, kernel_size=1, bias=False)
    return nn.Sequential(
        nn.BatchNorm2d(width), activating(width), convolution, *dropout_layers(dropout), nn.AvgPool2d(2)
    )
