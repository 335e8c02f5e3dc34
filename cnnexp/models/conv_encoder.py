"""The encoder of the convolutional autoencoder, as a classifier."""

from __future__ import annotations

from torch import Tensor, nn

from cnnexp.models.activations import OneToOne
from cnnexp.models.conv_autoencoder import ConvAutoencoder


class ConvEncoder(nn.Module):
    """The autoencoder's convolutions and its code, and one linear layer on the code.

    The encoder's weights have the names that they have in the autoencoder, so that one trained without labels can be
    the start of this (``model.weights=run:ID``).

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels.
        bottleneck: numbers in the code.
        width: maps after the first convolution.
        activation: behind each batch norm; the autoencoder's.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        bottleneck: int,
        width: int,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
    ) -> None:
        super().__init__()
        whole = ConvAutoencoder(
            in_channels=in_channels,
            image_size=image_size,
            bottleneck=bottleneck,
            width=width,
            activation=activation,
            leaky_slope=leaky_slope,
        )
        self.encoder = whole.encoder
        self.head = nn.Linear(bottleneck, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        return self.head(self.encoder(x))
