"""Network in Network (Lin, Chen, Yan 2013)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.convolutions import activated
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import init_for
from cnnexp.models.sizes import refuse_below

SMALLEST_PX = 4  # halved twice


class NIN(nn.Module):
    """Three mlpconv blocks and global average pooling: 966,986 parameters on three channels and ten classes.

    An mlpconv block (section 3.1) is a convolution followed by two 1x1 convolutions, a small perceptron that slides
    over the maps. The last block ends with a map for each class, whose mean is the class's logit (section 3.2). Widths
    and kernels are those of the authors' net for CIFAR-10; pictures of other sizes pass. The authors have a ReLU behind
    the last convolution too; without it a class whose map is negative everywhere goes on learning.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels, at least 4.
        norm: `batch` puts batch norm behind each convolution but the last; the paper has none.
        activation: behind each convolution but the last; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a value behind each of the first two blocks; the authors' is 0.5.

    Raises:
        InputError: a picture below 4x4; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        norm: Literal["none", "batch"],
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        refuse_below(SMALLEST_PX, image_size, "model=nin", usual_px=32)
        batch, activating = norm == "batch", Activating(activation, leaky_slope)
        self.block1 = nn.Sequential(
            *_mlpconv(in_channels, (192, 160, 96), 5, batch, activating),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            *dropout_layers(dropout),
        )
        self.block2 = nn.Sequential(
            *_mlpconv(96, (192, 192, 192), 5, batch, activating),
            nn.AvgPool2d(3, 2, ceil_mode=True),
            *dropout_layers(dropout),
        )
        self.block3 = nn.Sequential(*_mlpconv(192, (192, 192), 3, batch, activating))
        self.head = nn.Conv2d(192, num_classes, kernel_size=1)
        init_for(self, self.head, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        x = self.head(self.block3(self.block2(self.block1(x))))
        return x.mean(dim=(2, 3))


def _mlpconv(
    in_width: int, widths: tuple[int, ...], kernel_size: int, batch_norm: bool, activating: Activating
) -> list[nn.Module]:
    """A convolution of that kernel and 1x1 convolutions behind it, all of them activated."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += activated(in_width, width, kernel_size, batch_norm=batch_norm, activating=activating)
        in_width, kernel_size = width, 1
    return layers
