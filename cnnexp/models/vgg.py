"""The VGG nets (Simonyan and Zisserman 2014, "Very deep convolutional networks", table 1)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models import of_torchvision
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.initialisation import init_for
from cnnexp.models.local_response_norm import LocalResponseNorm
from cnnexp.models.published import Published
from cnnexp.models.stem import choose_stem

Configuration = Literal["A", "A-LRN", "B", "C", "D", "E"]

# Kernel sizes of the convolutions of the five stages: each row is a column of the paper's table.
KERNELS: dict[Configuration, tuple[tuple[int, ...], ...]] = {
    "A": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "A-LRN": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "B": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}
DEPTH = {"A": 11, "B": 13, "D": 16, "E": 19}
"""Of the configurations that torchvision has: layers with weights, and so its name for them."""
WIDTHS = (64, 128, 256, 512, 512)
HIDDEN = 4096
LAST_MAPS_PX = 7  # of a 224x224 picture


class VGG(nn.Module):
    """VGG-11 (A), 13 (B), 16 (C and D) or 19 (E): logits (B, K) of pictures (B, C, H, W) from 32x32 on.

    Each stage ends with a 2x2 pool. Of what torchvision has (A, B, D, E, with and without batch norm) the layers and
    their names are the same, so its weights fit. With the imagenet head, three channels and 1,000 classes: 132,863,336
    parameters (A and A-LRN), 133,047,848 (B), 133,638,952 (C), 138,357,544 (D), 143,667,240 (E).

    The imagenet head is three linear layers on 7x7 maps, 124 million weights. A 32x32 picture leaves one pixel for it,
    which would be repeated 49 times. The small head is global average pooling, a dropout and one linear layer, as such
    nets are mostly built for CIFAR.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        image_size: height and width of a picture in pixels; only `head="auto"` looks at it.
        configuration: a column of the paper's table 1; A-LRN is A with one response normalisation behind its first
            convolution, C has a 1x1 convolution at the end of the last three stages.
        norm: `batch` puts a batch norm behind every convolution, which the paper does not have.
        head: `auto` takes the small one when the shorter side has at most 64 pixels.
        activation: behind each convolution and hidden layer; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1); None is the paper's 0.5.

    Raises:
        InputError: A-LRN with batch norm, which would be normalised twice; a slope for an activation that has none.

    Attributes:
        head: the choice that was made, `imagenet` or `small`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        configuration: Configuration,
        norm: Literal["none", "batch"],
        head: Literal["auto", "imagenet", "small"],
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        if configuration == "A-LRN" and norm == "batch":
            raise InputError("model.norm=batch: A-LRN has a normalisation of its own; take norm=none, or vgg11_bn")
        self.head: Literal["imagenet", "small"] = choose_stem(image_size) if head == "auto" else head
        activating = Activating(activation, leaky_slope)
        self.features = _features(in_channels, configuration, norm == "batch", activating)
        self.avgpool = nn.AdaptiveAvgPool2d(LAST_MAPS_PX if self.head == "imagenet" else 1)
        dropped = 0.5 if dropout is None else dropout
        self.classifier = _classifier(num_classes, self.head == "imagenet", dropped, activating)
        init_for(self, self.classifier[-1], activation)  # without it the deeper ones do not begin

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of pictures (B, C, H, W)."""
        x = self.avgpool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


def published(weights: str | None, *, configuration: Configuration, norm: Literal["none", "batch"]) -> Published | None:
    """What torchvision says of its weights; it has none for A-LRN and C."""
    if configuration not in DEPTH:
        return None
    return of_torchvision.published(weights, name=f"vgg{DEPTH[configuration]}{'_bn' if norm == 'batch' else ''}")


def _features(
    in_channels: int, configuration: Configuration, batch_norm: bool, activating: Activating
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for kernels, width in zip(KERNELS[configuration], WIDTHS, strict=True):
        for kernel in kernels:
            layers.append(nn.Conv2d(in_channels, width, kernel, padding=kernel // 2))
            layers += [nn.BatchNorm2d(width)] if batch_norm else []
            layers.append(activating(width))
            in_channels = width
            if configuration == "A-LRN" and len(layers) == 2:
                layers.append(LocalResponseNorm())  # with AlexNet's constants, as the paper says in section 2.3
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def _classifier(num_classes: int, imagenet: bool, dropout: float, activating: Activating) -> nn.Sequential:
    if not imagenet:
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(WIDTHS[-1], num_classes))
    return nn.Sequential(
        nn.Linear(WIDTHS[-1] * LAST_MAPS_PX**2, HIDDEN),
        activating(HIDDEN),
        nn.Dropout(dropout),
        nn.Linear(HIDDEN, HIDDEN),
        activating(HIDDEN),
        nn.Dropout(dropout),
        nn.Linear(HIDDEN, num_classes),
    )
