"""The multilayer perceptron: fully connected layers on the pixels."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from cnnexp.models.activations import Activation
from cnnexp.models.bounds import all_at_least_one
from cnnexp.models.dense import hidden_layers
from cnnexp.models.initialisation import init_for


class MLP(nn.Module):
    """Linear layers with an activation between each two: what a net without convolutions can do.

    Every unit of the first layer has a weight for each pixel value. A picture of 3x200x200 costs 120,000 weights a
    unit, and the net has to learn anew what an edge is at each place of the picture.

    Args:
        in_channels: channels C of a picture.
        num_classes: number of classes K.
        image_size: height H and width W of a picture in pixels.
        hidden: units of each hidden layer; an empty list makes it softmax regression.
        activation: after each hidden layer; `maxout` takes the larger of two units for each that it gives.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        norm: `batch` puts batch norm before each activation.
        dropout: probability in [0, 1) of dropping a hidden unit; None for no dropout.

    Raises:
        InputError: a hidden layer without units; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        hidden: tuple[int, ...],
        activation: Activation,
        leaky_slope: float | None,
        norm: Literal["none", "batch"],
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        all_at_least_one(hidden=hidden)
        pixels = in_channels * image_size[0] * image_size[1]
        self.flatten = nn.Flatten()
        self.hidden = hidden_layers(pixels, hidden, activation, leaky_slope, norm == "batch", dropout)
        self.head = nn.Linear(hidden[-1] if hidden else pixels, num_classes)
        init_for(self, self.head, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        return self.head(self.hidden(self.flatten(x)))
