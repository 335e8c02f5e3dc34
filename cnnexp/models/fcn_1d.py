"""The fully convolutional net for short signals (Wang, Yan, Oates 2017)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import all_at_least_one
from cnnexp.models.convolutions import SameConv1d
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import filling_for


class FCN1d(nn.Module):
    """Three convolutions along time, each with batch norm and ReLU, the mean over time and one linear layer.

    With 128, 256 and 128 filters of 8, 5 and 3 samples: 264,962 parameters on one channel and two classes. The length
    is kept up to the mean, so signals of any length pass. Source: Wang et al. 2017, "Time series classification from
    scratch with deep neural networks: a strong baseline", section II-B.

    Args:
        in_channels: channels of a signal.
        num_classes: number of classes K.
        widths: filters of each convolution.
        kernel_sizes: samples that a filter of each convolution sees.
        activation: behind each batch norm; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping an input of the linear layer; the paper has none.

    Raises:
        InputError: a number below 1; lists that are empty or of different lengths; a slope for an activation
            that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        widths: Sequence[int],
        kernel_sizes: Sequence[int],
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        all_at_least_one(widths=widths, kernel_sizes=kernel_sizes)
        if not widths or len(widths) != len(kernel_sizes):
            raise InputError(
                f"model.kernel_sizes: {len(kernel_sizes)} for {len(widths)} model.widths; give one for each convolution"
            )
        activating = Activating(activation, leaky_slope)
        self.features = nn.Sequential()
        for before, width, kernel_size in zip((in_channels, *widths), widths, kernel_sizes, strict=False):
            self.features.extend([SameConv1d(before, width, kernel_size), nn.BatchNorm1d(width), activating(width)])
        self.drop = nn.Sequential(*dropout_layers(dropout))
        self.linear = nn.Linear(widths[-1], num_classes)
        self.apply(filling_for(activation))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of signals (B, C, L)."""
        return self.linear(self.drop(self.features(x).mean(dim=2)))
