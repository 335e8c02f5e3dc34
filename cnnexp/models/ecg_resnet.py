"""The residual net for electrocardiograms (Rajpurkar et al. 2017, Hannun et al. 2019): one answer for 256 samples."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.models.activations import RELU, Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.convolutions import SameConv1d
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import filling_for

WIDENED_EVERY = 4  # blocks: the number of filters doubles so often
SUBSAMPLED_EVERY = 2  # blocks: the second, the fourth, … halves the length


class ECGResNet(nn.Module):
    """Residual blocks of two convolutions along time; with 16 of them 33 convolutions and one linear layer.

    A convolution with batch norm and ReLU, then blocks of (norm, ReLU, convolution, norm, ReLU, dropout, convolution)
    beside a shortcut, then norm, ReLU and the linear layer, which is the same for every position. Every second block
    halves the length, its shortcut by max-pooling; every fourth doubles the filters, its shortcut by maps of zeros.
    The first block has no norm and ReLU of its own, as they stand behind the first convolution.

    With 32 filters of 16 samples, 16 blocks, one lead and four classes: 10,466,148 parameters, and an answer for every
    2⁸ = 256 samples. Filters and dropout are those of Hannun et al. 2019 and its published code; the paper of 2017 has
    64, 128, 192 and 256 filters.

    A signal whose length is no multiple is filled up with zeros at its end.

    Args:
        in_channels: channels of a signal, one for each lead.
        num_classes: number of classes K.
        width: filters of the first blocks.
        kernel_size: samples that a filter sees.
        blocks: residual blocks; n of them give an answer for every 2^(n // 2) samples.
        sequence: an answer for each stretch of so many samples; otherwise the mean of them.
        activation: behind each batch norm; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a value between the convolutions of a block; None for no dropout.

    Raises:
        InputError: a number below 1; a slope for an activation that has none.

    Attributes:
        stride: samples for each answer.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        width: int,
        kernel_size: int,
        blocks: int,
        sequence: bool,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, kernel_size=kernel_size, blocks=blocks)
        self.sequence, activating = sequence, Activating(activation, leaky_slope)
        self.stride = 2 ** (blocks // SUBSAMPLED_EVERY)
        self.conv1 = SameConv1d(in_channels, width, kernel_size)
        self.bn1 = nn.BatchNorm1d(width)
        self.act1 = activating(width)
        self.blocks = nn.Sequential()
        for place in range(blocks):
            in_width, out_width = (width * 2 ** (max(at, 0) // WIDENED_EVERY) for at in (place - 1, place))
            stride = 2 if place % SUBSAMPLED_EVERY else 1
            block = Block(in_width, out_width, kernel_size, stride, dropout, activating, begins_bare=place == 0)
            self.blocks.append(block)
        self.bn2 = nn.BatchNorm1d(out_width)
        self.act2 = activating(out_width)
        self.linear = nn.Linear(out_width, num_classes)
        self.apply(filling_for(activation))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of signals (B, C, L); with `sequence`, (B, K, ceil(L / stride))."""
        x = F.pad(x, (0, -x.shape[2] % self.stride))
        x = self.act1(self.bn1(self.conv1(x)))
        x = self.act2(self.bn2(self.blocks(x)))
        if self.sequence:
            return self.linear(x.transpose(1, 2)).transpose(1, 2)
        return self.linear(x.mean(dim=2))


class Block(nn.Module):
    """F(x) + shortcut(x): (B, in_width, L) → (B, width, L / stride), with `in_width` ≤ `width`.

    Norm and ReLU stand before a convolution (He et al. 2016, "Identity mappings in deep residual networks"), so a
    residual of zero leaves exactly what came in.
    """

    def __init__(
        self,
        in_width: int,
        width: int,
        kernel_size: int,
        stride: int,
        dropout: float | None,
        activating: Activating = RELU,
        *,
        begins_bare: bool,
    ) -> None:
        super().__init__()
        before: list[nn.Module] = [] if begins_bare else [nn.BatchNorm1d(in_width), activating(in_width)]
        self.residual = nn.Sequential(
            *before,
            SameConv1d(in_width, width, kernel_size, stride),
            nn.BatchNorm1d(width),
            activating(width),
            *dropout_layers(dropout),
            SameConv1d(width, width, kernel_size),
        )
        self.pool = nn.MaxPool1d(stride) if stride > 1 else nn.Identity()
        self.new_maps = width - in_width

    def forward(self, x: Tensor) -> Tensor:
        return self.residual(x) + F.pad(self.pool(x), (0, 0, 0, self.new_maps))
