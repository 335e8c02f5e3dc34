"""The smallest net with a shortcut: two convolutions, their sum, a pool and one linear layer or two."""

from __future__ import annotations

from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import init_for
from cnnexp.models.sizes import refuse_below


class SmallResNet(nn.Module):
    """conv 3x3, conv 3x3, add, pool 2x2, FC: what a shortcut is, on one page.

    a = act(conv1(x)) and b = act(conv2(a)) are added, so what is pooled is a itself where the second convolution
    gives nothing. With 32 maps, 72,298 parameters on 1x28x28 pictures and ten classes. Source: the idea is He et al.
    2015, figure 2, without batch norm.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels.
        width: maps of both convolutions.
        shortcut: whether the first convolution's maps are added to the second's.
        hidden: units, with the activation behind them, of a linear layer before the last one; None for no such layer.
        activation: behind both convolutions, and behind the hidden units.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping an input of the last linear layer; None for no dropout.

    Raises:
        InputError: a width or number of units below 1, a picture below 2x2; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        width: int,
        shortcut: bool,
        hidden: int | None = None,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, **({} if hidden is None else {"hidden": hidden}))
        refuse_below(2, image_size, "model=small_resnet")
        self.shortcut, activating = shortcut, Activating(activation, leaky_slope)
        self.conv1 = nn.Conv2d(in_channels, width, kernel_size=3, padding=1)
        self.act1 = activating(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.act2 = activating(width)
        self.pool = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        numbers = width * (image_size[0] // 2) * (image_size[1] // 2)
        self.hidden = nn.Identity() if hidden is None else nn.Sequential(nn.Linear(numbers, hidden), activating(hidden))
        self.drop = nn.Identity() if dropout is None else nn.Dropout(dropout)
        self.head = nn.Linear(numbers if hidden is None else hidden, num_classes)
        init_for(self, self.head, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        x = self.act1(self.conv1(x))
        residual = self.act2(self.conv2(x))
        x = x + residual if self.shortcut else residual
        return self.head(self.drop(self.hidden(self.flatten(self.pool(x)))))
