"""The convolutional net of textbooks: [convolution, convolution, pool] repeated, then fully connected layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Activation, activation, pieces
from cnnexp.models.bounds import all_at_least_one, at_least_one
from cnnexp.models.convolutions import Kind, convolution, squeeze_excitation
from cnnexp.models.dense import hidden_layers
from cnnexp.models.initialisation import init_for
from cnnexp.models.local_response_norm import LocalResponseNorm
from cnnexp.models.pooling import Pooling, pool
from cnnexp.models.sizes import Size, after, refuse_below

Norm = Literal["none", "batch", "lrn"]


class PlainCNN(nn.Module):
    """Stages of convolutions that keep the size, each ended by a pool that halves it, and a classifier behind them.

    A convolution is followed by its norm and its activation, a stage's last one by squeeze-and-excitation where asked.
    With widths 64, 128, 256, of 1, 2, 2 convolutions of 7x7, 3x3, 3x3, and 128 and 64 hidden units it has 1,413,834
    parameters on 1x28x28 pictures and ten classes (Géron 2019, "Hands-on machine learning", chapter 14).

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels.
        widths: maps of each stage. convolutions: their number in each stage. kernel_sizes: their side in pixels in
            each stage, odd. All three lists have an entry for each stage.
        convolution: `separable` takes all but the very first apart into a depthwise and a 1x1 one;
            `fft` computes what `plain` does by FFT, with the same weights.
        activation: after each convolution and hidden layer; `maxout` takes the larger of two maps for each it gives.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        norm: of each convolution: `batch`, `lrn` (over maps, after the activation as in AlexNet) or none. `batch` is in
            the hidden layers too.
        squeeze_excitation: by what the squeezed layer is narrower; None for no recalibration of maps.
        pool: of each stage. pool_size: side of its window in pixels, 2 or 3 (overlapping); the stride is 2.
        head: `flatten` gives every pixel of the last maps to the classifier, `global_average` the mean of each map.
        hidden: units of each fully connected layer before the last one.
        dropout: probability in [0, 1) of dropping a hidden unit (without hidden layers, an input of the last layer).

    Raises:
        InputError: lists of different lengths, numbers below 1, even kernels, more stages than the picture can be
            halved for.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        widths: tuple[int, ...],
        convolutions: tuple[int, ...],
        kernel_sizes: tuple[int, ...],
        convolution: Kind,
        activation: Activation,
        leaky_slope: float | None,
        norm: Norm,
        squeeze_excitation: int | None,
        pool: Pooling,
        pool_size: Literal[2, 3],
        head: Literal["flatten", "global_average"],
        hidden: tuple[int, ...],
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        _check(widths, convolutions, kernel_sizes, hidden)
        size = _size_behind(image_size, len(widths), pool_size)
        layers = _Layers(activation, leaky_slope, norm, squeeze_excitation, pool, pool_size)
        self.features = nn.Sequential()
        for width, count, kernel_size in zip(widths, convolutions, kernel_sizes, strict=True):
            kinds = [convolution] * count
            if not self.features and convolution == "separable":
                kinds[0] = "plain"  # one filter for each colour would be all that it sees
            self.features.append(layers.stage(in_channels, width, kinds, kernel_size))
            in_channels = width
        inputs = in_channels * (size[0] * size[1] if head == "flatten" else 1)
        self.flatten = nn.Flatten() if head == "flatten" else nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.hidden = hidden_layers(inputs, hidden, activation, leaky_slope, norm == "batch", dropout)
        if not hidden and dropout is not None:
            self.hidden.append(nn.Dropout(dropout))
        self.head = nn.Linear(hidden[-1] if hidden else inputs, num_classes)
        init_for(self, self.head, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        return self.head(self.hidden(self.flatten(self.features(x))))


@dataclass(frozen=True)
class _Layers:
    """What stands around the convolutions of every stage."""

    activation: Activation
    leaky_slope: float | None
    norm: Norm
    squeeze_excitation: int | None
    pool: Pooling
    pool_size: int

    def stage(self, in_width: int, width: int, kinds: Sequence[Kind], kernel_size: int) -> nn.Sequential:
        layers = nn.Sequential()
        for number, kind in enumerate(kinds, start=1):
            maps = width * pieces(self.activation)
            conv = convolution(kind, in_width, maps, kernel_size, bias=self.norm != "batch")
            layers.add_module(f"conv{number}", conv)
            if self.norm == "batch":
                layers.add_module(f"norm{number}", nn.BatchNorm2d(maps))
            layers.add_module(f"act{number}", activation(self.activation, width, self.leaky_slope))
            if self.norm == "lrn":
                layers.add_module(f"norm{number}", LocalResponseNorm())
            in_width = width
        if self.squeeze_excitation is not None:
            layers.add_module("excitation", squeeze_excitation(width, self.squeeze_excitation))
        layers.add_module("pool", pool(self.pool, self.pool_size, stride=2))
        return layers


def _check(
    widths: Sequence[int], convolutions: Sequence[int], kernel_sizes: Sequence[int], hidden: Sequence[int]
) -> None:
    lists = {"widths": widths, "convolutions": convolutions, "kernel_sizes": kernel_sizes}
    all_at_least_one(**lists, hidden=hidden)
    at_least_one(widths=len(widths))
    if len({len(one) for one in lists.values()}) > 1:
        given = ", ".join(f"model.{name} has {len(values)}" for name, values in lists.items())
        raise InputError(f"{given}: each needs one number for each stage")
    even = [size for size in kernel_sizes if size % 2 == 0]
    if even:
        raise InputError(
            f"model.kernel_sizes: {even[0]} is even; an odd kernel keeps the size, take {even[0] - 1} or {even[0] + 1}"
        )


def _size_behind(size: Size, stages: int, pool_size: int) -> Size:
    smallest = 1
    for _ in range(stages):
        smallest = (smallest - 1) * 2 + pool_size
    refuse_below(smallest, size, f"model=plain_cnn with {stages} pools of {pool_size} pixels and stride 2")
    for _ in range(stages):
        size = after(size, pool_size, stride=2)
    return size
