"""AlexNet as published (Krizhevsky, Sutskever, Hinton 2012), in one tower or in two halves that meet in conv3."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.dropout import dropout_layers
from cnnexp.models.initialisation import init_for
from cnnexp.models.local_response_norm import LocalResponseNorm
from cnnexp.models.sizes import Size, after, refuse_below

USUAL_PX, SMALLEST_PX = 227, 67
LAST_WIDTH, HIDDEN = 256, 4096
WITH_UNIT_BIAS = ("conv2", "conv4", "conv5", "fc6", "fc7")


class AlexNet(nn.Module):
    """Five convolutions, the first with 11x11 kernels and stride 4, and three linear layers (section 3.5, figure 2).

    On 3x227x227 the maps are 96x55x55, 256x27x27, 384x13x13, 384x13x13, 256x13x13 and, pooled, 256x6x6 = 9,216 numbers.
    With 1,000 classes there are 62,378,344 parameters in one tower and 60,965,224 in two halves (`groups=2`: conv2,
    conv4 and conv5 each see the half of the maps that lay on the same graphics card). The paper says 224, which does
    not give its 55x55 maps; other sizes pass and change the first linear layer (224 leaves 256x5x5).

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels, at least 67.
        groups: 1, or 2 for the paper's split.
        lrn: local response normalisation of conv1 and conv2: before the pool as published, after it as it is sometimes
            drawn (a quarter of the numbers to normalise), or none.
        init: `published`: normal weights with a deviation of 0.01, and biases of 1 in conv2, conv4, conv5 and the
            hidden linear layers (section 5); `he`: variance 2 / fan-in and biases of 0 (He et al. 2015, equation 10).
        activation: behind each convolution and hidden layer; the paper's is ReLU (section 3.1).
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a unit of each hidden linear layer (section 4.2); the paper's is 0.5.

    Raises:
        InputError: a picture below 67x67; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        groups: Literal[1, 2],
        lrn: Literal["before_pool", "after_pool", "none"],
        init: Literal["published", "he"],
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        refuse_below(SMALLEST_PX, image_size, "model=alexnet", usual_px=USUAL_PX)
        self._activating = Activating(activation, leaky_slope)
        self.features = nn.Sequential()
        self._convolve("conv1", nn.Conv2d(in_channels, 96, kernel_size=11, stride=4))
        self._pool("pool1", lrn)
        self._convolve("conv2", nn.Conv2d(96, 256, kernel_size=5, padding=2, groups=groups))
        self._pool("pool2", lrn)
        self._convolve("conv3", nn.Conv2d(256, 384, kernel_size=3, padding=1))
        self._convolve("conv4", nn.Conv2d(384, 384, kernel_size=3, padding=1, groups=groups))
        self._convolve("conv5", nn.Conv2d(384, LAST_WIDTH, kernel_size=3, padding=1, groups=groups))
        self._pool("pool5", "none")
        height, width = _last_maps(image_size)
        self.flatten = nn.Flatten()
        self.classifier = classifier(LAST_WIDTH * height * width, num_classes, dropout, self._activating)
        self._initialise(init)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        return self.classifier(self.flatten(self.features(x)))

    def _convolve(self, name: str, convolution: nn.Conv2d) -> None:
        self.features.add_module(name, convolution)
        self.features.add_module(
            name.replace("conv", self._activating.name), self._activating(convolution.out_channels)
        )

    def _pool(self, name: str, lrn: Literal["before_pool", "after_pool", "none"]) -> None:
        """Windows of 3x3 every 2 pixels, which overlap (section 3.4)."""
        layers = {name: nn.MaxPool2d(3, 2), name.replace("pool", "lrn"): LocalResponseNorm()}
        if lrn == "none":
            layers.popitem()
        for own in reversed(layers) if lrn == "before_pool" else layers:
            self.features.add_module(own, layers[own])

    def _initialise(self, init: Literal["published", "he"]) -> None:
        init_for(self, self.classifier[-1], self._activating.name)
        if init == "he":
            return
        for name, module in [*self.features.named_children(), *self.classifier.named_children()]:
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                assert module.bias is not None
                nn.init.constant_(module.bias, 1.0 if name in WITH_UNIT_BIAS else 0.0)


def classifier(inputs: int, num_classes: int, dropout: float | None, activating: Activating) -> nn.Sequential:
    """Two hidden layers of 4,096 units and the logits: (B, inputs) → (B, K)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, before in ((6, inputs), (7, HIDDEN)):
        layers[f"fc{number}"] = nn.Linear(before, HIDDEN)
        layers[f"{activating.name}{number}"] = activating(HIDDEN)
        layers.update({f"drop{number}": layer for layer in dropout_layers(dropout)})
    layers["fc8"] = nn.Linear(HIDDEN, num_classes)
    return nn.Sequential(layers)


def _last_maps(size: Size) -> Size:
    size = after(size, 11, stride=4)
    for _ in range(3):
        size = after(size, 3, stride=2)
    return size
