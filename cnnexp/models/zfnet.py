"""The net of Zeiler and Fergus 2013, "Visualizing and understanding convolutional networks"."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.alexnet import classifier
from cnnexp.models.initialisation import init_for
from cnnexp.models.local_response_norm import LocalResponseNorm
from cnnexp.models.sizes import Size, after, refuse_below

USUAL_PX, SMALLEST_PX = 224, 47
LAST_WIDTH = 256


class ZFNet(nn.Module):
    """AlexNet with 7x7 kernels and stride 2 in the first layer, and stride 2 in the second too (figure 3 of the paper).

    On 3x224x224 the maps have 110, pooled 55, 26, pooled 13, 13, 13, 13 and, pooled, 6 pixels a side. With 384, 384 and
    256 maps in the last three convolutions and 1,000 classes it has 62,357,608 parameters. Behind the first two pools
    stands a normalisation; AlexNet's is taken for the paper's contrast normalisation. Pools round up, so that 110 gives
    55 and 26 gives 13.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels, at least 47.
        activation: behind each convolution and hidden layer; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a unit of each hidden linear layer; the paper's is 0.5.

    Raises:
        InputError: a picture below 47x47; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        refuse_below(SMALLEST_PX, image_size, "model=zfnet", usual_px=USUAL_PX)
        activating = Activating(activation, leaky_slope)
        self.features = nn.Sequential(
            OrderedDict(
                [
                    *_convolved(1, nn.Conv2d(in_channels, 96, kernel_size=7, stride=2, padding=1), activating),
                    ("pool1", _pool()),
                    ("lrn1", LocalResponseNorm()),
                    *_convolved(2, nn.Conv2d(96, 256, kernel_size=5, stride=2), activating),
                    ("pool2", _pool()),
                    ("lrn2", LocalResponseNorm()),
                    *_convolved(3, nn.Conv2d(256, 384, kernel_size=3, padding=1), activating),
                    *_convolved(4, nn.Conv2d(384, 384, kernel_size=3, padding=1), activating),
                    *_convolved(5, nn.Conv2d(384, LAST_WIDTH, kernel_size=3, padding=1), activating),
                    ("pool5", _pool()),
                ]
            )
        )
        height, width = _last_maps(image_size)
        self.flatten = nn.Flatten()
        self.classifier = classifier(LAST_WIDTH * height * width, num_classes, dropout, activating)
        init_for(self, self.classifier[-1], activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        return self.classifier(self.flatten(self.features(x)))


def _convolved(number: int, convolution: nn.Conv2d, activating: Activating) -> list[tuple[str, nn.Module]]:
    return [(f"conv{number}", convolution), (f"{activating.name}{number}", activating(convolution.out_channels))]


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def _pooled(size: Size) -> Size:
    return after(size, 3, stride=2, ceil=True)


def _last_maps(size: Size) -> Size:
    size = _pooled(after(size, 7, stride=2, padding=1))
    return _pooled(_pooled(after(size, 5, stride=2)))
