"""The all convolutional net (Springenberg, Dosovitskiy, Brox, Riedmiller 2015, "Striving for simplicity")."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.convolutions import activated
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import init_for
from cnnexp.models.sizes import refuse_below

SMALLEST_PX = 9  # leaves 3x3 maps to the last 3x3 convolution, which is not padded


class AllCNNC(nn.Module):
    """All-CNN-C (tables 1 and 2): nine convolutions, two of them with stride 2 in place of pools, no linear layer.

    1,369,738 parameters on three channels and ten classes. The last 3x3 convolution is not padded, which leaves 6x6
    maps of a 32x32 picture for the mean over pixels, as in the paper. Pictures of other sizes pass. The paper has a
    ReLU behind the last convolution too; without it a class whose map is negative everywhere goes on learning.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels, at least 9.
        width: maps of the first three convolutions; the next five have twice as many.
        norm: `batch` puts batch norm behind each convolution but the last; the paper has none.
        activation: behind each convolution but the last; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        input_dropout: probability in [0, 1) of dropping a value of the picture; the paper's is 0.2.
        dropout: of dropping a value behind each convolution with stride 2; the paper's is 0.5.

    Raises:
        InputError: a width below 1, a picture below 9x9; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        width: int,
        norm: Literal["none", "batch"],
        input_dropout: float | None,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width)
        refuse_below(SMALLEST_PX, image_size, "model=all_cnn_c", usual_px=32)
        batch, activating = norm == "batch", Activating(activation, leaky_slope)
        self.drop = nn.Identity() if input_dropout is None else nn.Dropout(input_dropout)
        self.stage1 = _halving(in_channels, width, batch, dropout, activating)
        self.stage2 = _halving(width, 2 * width, batch, dropout, activating)
        self.stage3 = nn.Sequential(
            *activated(2 * width, 2 * width, 3, padding=0, batch_norm=batch, activating=activating),
            *activated(2 * width, 2 * width, 1, batch_norm=batch, activating=activating),
        )
        self.head = nn.Conv2d(2 * width, num_classes, kernel_size=1)
        init_for(self, self.head, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        x = self.stage3(self.stage2(self.stage1(self.drop(x))))
        return self.head(x).mean(dim=(2, 3))


def _halving(
    in_width: int, width: int, batch_norm: bool, dropped: float | None, activating: Activating
) -> nn.Sequential:
    return nn.Sequential(
        *activated(in_width, width, 3, batch_norm=batch_norm, activating=activating),
        *activated(width, width, 3, batch_norm=batch_norm, activating=activating),
        *activated(width, width, 3, stride=2, batch_norm=batch_norm, activating=activating),
        *dropout_layers(dropped),
    )
