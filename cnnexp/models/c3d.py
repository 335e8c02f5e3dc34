"""C3D: convolutions over time as well as over the picture (Tran et al. 2015)."""

from __future__ import annotations

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import init_for
from cnnexp.models.sizes import after, refuse_below

WIDTH = 64
_GROUPS = ((1, 1), (1, 2), (2, 4), (2, 8), (2, 8))
"""Convolutions between two pools, and their maps as a multiple of the first one's."""
FEWEST_FRAMES = 16
_SMALLEST_PX, _USUAL_PX = 16, 112


class C3D(nn.Module):
    """Eight 3×3×3 convolutions with five pools, two linear layers of 4,096 and the last one.

    The first pool is 1×2×2, so that time is not shortened too early; the others are 2×2×2, the last one with a pixel of
    padding above, below and beside. With 16 frames of 112×112, RGB and 101 classes: 78,409,573 parameters. The paper
    starts without batch norm; `batch_norm` puts one behind each convolution, which learns from fresh weights at rates
    at which the net of the paper stands still. Source: Tran et al. 2015, "Learning spatiotemporal features with 3D
    convolutional networks", figure 3; padding of the last pool as in its published net.

    Args:
        in_channels: channels of a frame.
        num_classes: number of classes K.
        image_size: height and width of a frame in pixels.
        frames: of a clip.
        width: maps of the first convolution; the published net has 64.
        hidden: units of both linear layers.
        batch_norm: behind each convolution.
        activation: behind each convolution and linear layer but the last.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a unit of the linear layers; None is the paper's 0.5.

    Raises:
        InputError: fewer than 16 frames, or of fewer than 16 pixels a side; a number below 1; a slope for an activation
            that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        image_size: tuple[int, int],
        frames: int,
        width: int = WIDTH,
        hidden: int = 4096,
        batch_norm: bool = False,
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, hidden=hidden)
        if frames < FEWEST_FRAMES:
            raise InputError(
                f"data.frames={frames}: c3d halves time four times; give data.frames={FEWEST_FRAMES} or more"
            )
        refuse_below(_SMALLEST_PX, image_size, "c3d", _USUAL_PX)
        activating = Activating(activation, leaky_slope)
        self.features, before = nn.Sequential(), in_channels
        for place, (count, factor) in enumerate(_GROUPS):
            for _ in range(count):
                now = factor * width
                self.features.append(nn.Conv3d(before, now, 3, padding=1, bias=not batch_norm))
                self.features.extend([nn.BatchNorm3d(now)] if batch_norm else [])
                self.features.append(activating(now))
                before = now
            self.features.append(_pool(place))
        drop = 0.5 if dropout is None else dropout
        self.classifier = nn.Sequential(nn.Flatten())
        for units, now in ((before * _places_left(frames, image_size), hidden), (hidden, hidden)):
            self.classifier.extend([nn.Linear(units, now), activating(now), nn.Dropout(drop)])
        self.linear = nn.Linear(hidden, num_classes)
        init_for(self, self.linear, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of clips (B, C, T, H, W)."""
        return self.linear(self.classifier(self.features(x)))


def _pool(place: int) -> nn.Module:
    """The pool behind a group of convolutions, counted from 0."""
    window = (1, 2, 2) if place == 0 else (2, 2, 2)
    return nn.MaxPool3d(window, padding=(0, 1, 1) if place == len(_GROUPS) - 1 else 0)


def _places_left(frames: int, image_size: tuple[int, int]) -> int:
    """Numbers of a map behind the last pool."""
    last = len(_GROUPS) - 1
    for place in range(len(_GROUPS)):
        image_size = after(image_size, 2, 2, 1 if place == last else 0)
        frames = frames // 2 if place else frames
    return frames * image_size[0] * image_size[1]
