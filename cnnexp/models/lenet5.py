"""LeNet-5, the network that read cheques (LeCun, Bottou, Bengio, Haffner 1998, section II.B)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne

POOLINGS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}

SMALLEST_SIZE_PX = 32  # the side of the paper's input


class LeNet5(nn.Module):
    """Two convolutions with pooling and three fully connected layers: 61,706 parameters on one channel and ten classes.

    This is the modern form; `lenet5_1998` is the original. There the second convolution sees only some of the six maps
    (1,516 parameters), the pooling has trainable scale and bias and the output is a radial basis function: 60,000
    parameters.

    Pictures smaller than 32 pixels are padded to 32 by repeating their edge (28x28 gets a border of 2), because the
    paper centres its 28x28 digits in a 32x32 field. A larger picture passes as it is and makes `fc1` wider.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels.
        activation: after both convolutions and the first two fully connected layers.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        pooling: over 2x2 pixels, stride 2.
        dropout: probability in [0, 1) of dropping an output of `fc1` or `fc2`; None for no dropout.

    Raises:
        InputError: a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        activation: OneToOne,
        pooling: Literal["max", "average"],
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        activating = Activating(activation, leaky_slope)
        height, width = (max(side, SMALLEST_SIZE_PX) for side in image_size)
        self.pad = pad_to(image_size, (height, width))
        self.conv1 = nn.Conv2d(in_channels, 6, kernel_size=5)
        self.act1 = activating(6)
        self.pool1 = POOLINGS[pooling](2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.act2 = activating(16)
        self.pool2 = POOLINGS[pooling](2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(16 * size_after_convolutions(height) * size_after_convolutions(width), 120)
        self.act3 = activating(120)
        self.drop1 = nn.Identity() if dropout is None else nn.Dropout(dropout)
        self.fc2 = nn.Linear(120, 84)
        self.act4 = activating(84)
        self.drop2 = nn.Identity() if dropout is None else nn.Dropout(dropout)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        x = self.pool1(self.act1(self.conv1(self.pad(x))))
        x = self.pool2(self.act2(self.conv2(x)))
        x = self.drop1(self.act3(self.fc1(self.flatten(x))))
        x = self.drop2(self.act4(self.fc2(x)))
        return self.fc3(x)


def pad_to(size: tuple[int, int], target: tuple[int, int]) -> nn.Module:
    """Repeats the edge of pictures of a size until they have the other one."""
    rows, columns = target[0] - size[0], target[1] - size[1]
    if rows == columns == 0:
        return nn.Identity()
    return nn.ReplicationPad2d((columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))


def size_after_convolutions(side: int) -> int:
    """The side of the last maps of a picture with this side, both in pixels."""
    for _ in range(2):
        side = (side - 4) // 2  # a 5-pixel kernel without padding, then pooling by 2
    return side
