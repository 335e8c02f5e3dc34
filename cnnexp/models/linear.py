"""Softmax regression: one linear layer on the pixels, the plainest classifier there is."""

from __future__ import annotations

from torch import Tensor, nn


class Linear(nn.Module):
    """A weight for each pixel value and class: C * H * W * K + K parameters (7,850 on 28x28 digits).

    What a net gains over it is what its depth is worth. It has next to nothing to compute, so a step of it shows what
    everything around the net takes.

    Args:
        in_channels: channels C of a picture.
        num_classes: number of classes K.
        image_size: height H and width W of a picture in pixels.
    """

    def __init__(self, *, in_channels: int, num_classes: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(in_channels * image_size[0] * image_size[1], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        return self.linear(self.flatten(x))
