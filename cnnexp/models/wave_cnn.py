"""The nets for raw waveforms, whose first layer takes the place of a spectrogram (Dai et al. 2017)."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.convolutions import SameConv1d
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import filling_for

POOL = 4
_FIRST, _STRIDE = 80, 4
_STAGES = {
    3: (256, ((1, 256),)),
    5: (128, ((1, 128), (1, 256), (1, 512))),
    11: (64, ((2, 64), (2, 128), (3, 256), (2, 512))),
    18: (64, ((4, 64), (4, 128), (4, 256), (4, 512))),
}
"""By the number of layers: filters of the first convolution; convolutions of each stage, and their filters."""
_POOLED_AT_THE_END = (3, 5)


class WaveCNN(nn.Module):
    """M3, M5, M11 and M18: a convolution with long filters, stages of short ones, the mean over time, a linear layer.

    The first filters see 80 samples every 4, 10 ms at 8 kHz: long enough for a pitch, as the window of a spectrogram
    is. The others see 3. Each convolution has batch norm and ReLU, and before each stage the maximum of 4 is kept: M5
    answers every 4 · 4⁴ = 1,024 samples before the mean. The convolutions and the linear layer are counted as layers.
    Source: Dai et al. 2017, "Very deep convolutional neural networks for raw waveforms", table 1.

    Args:
        in_channels: channels of a signal.
        num_classes: number of classes K.
        layers: 3, 5, 11 or 18.
        width: times the published numbers of filters; 1 is theirs.
        activation: behind each batch norm; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping an input of the linear layer; the paper has none.

    Raises:
        InputError: a width that leaves no filter; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        layers: Literal[3, 5, 11, 18],
        width: float = 1.0,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        first, stages = _STAGES[layers]
        activating = Activating(activation, leaky_slope)

        def filters(published: int) -> int:
            if not published * width >= 1:
                raise InputError(f"model.width={width:g}: leaves no filter of {published}; 1 has the published numbers")
            return int(published * width)

        def activated(before: int, now: int, kernel_size: int, stride: int = 1) -> list[nn.Module]:
            convolution = SameConv1d(before, now, kernel_size, stride, bias=False)
            return [convolution, nn.BatchNorm1d(now), activating(now)]

        now = filters(first)
        self.features = nn.Sequential(*activated(in_channels, now, _FIRST, _STRIDE))
        for count, published in stages:
            self.features.append(MaxPool())
            for _ in range(count):
                before, now = now, filters(published)
                self.features.extend(activated(before, now, 3))
        if layers in _POOLED_AT_THE_END:
            self.features.append(MaxPool())
        self.drop = nn.Sequential(*dropout_layers(dropout))
        self.linear = nn.Linear(now, num_classes)
        self.apply(filling_for(activation))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of signals (B, C, L)."""
        return self.linear(self.drop(self.features(x).mean(dim=2)))


class MaxPool(nn.MaxPool1d):
    """The maximum of 4; (B, C, L) → (B, C, ceil(L / 4)), where the last window may hold fewer."""

    def __init__(self) -> None:
        super().__init__(POOL, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.shape[2] >= POOL else F.max_pool1d(x, x.shape[2])
