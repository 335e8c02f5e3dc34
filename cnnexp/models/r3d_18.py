"""ResNet-18 with 3-D convolutions, torchvision's, with its weights of Kinetics-400 (Tran et al. 2018)."""

from __future__ import annotations

from typing import Any

from torch import nn
from torchvision.models import video

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.models.bounds import all_at_least_one
from cnnexp.models.of_torchvision import DEFAULT, state_of
from cnnexp.models.published import Published

NAME = "r3d_18"
STEM_STRIDE = (1, 2, 2)


def r3d_18(
    *,
    in_channels: int,
    num_classes: int,
    stem_stride: tuple[int, int, int] = STEM_STRIDE,
    dropout: float | None = None,
) -> nn.Module:
    """R3D-18: a 3×7×7 convolution, eight residual blocks of two 3×3×3 convolutions, the mean, a linear layer.

    With RGB and 400 classes: 33,371,472 parameters, which have torchvision's names. Takes clips (B, C, T, H, W) of any
    number of frames and size. Source: Tran et al. 2018, "A closer look at spatiotemporal convolutions for action
    recognition", R3D.

    Args:
        in_channels: channels of a frame; for other than three the first convolution is made anew.
        num_classes: number of classes K.
        stem_stride: of the first convolution in time, height and width; the published one's is 1, 2, 2. Doubling all
            three divides the work of all that follows by eight.
        dropout: probability in [0, 1) of dropping a number before the linear layer; None for no dropout.

    Raises:
        InputError: a stride below 1, or not three of them.
    """
    if len(stem_stride) != 3:
        raise InputError(
            f"model.stem_stride=[{','.join(map(str, stem_stride))}]: expected three numbers, of time, height and width"
        )
    all_at_least_one(stem_stride=stem_stride)
    net: nn.Module = video.r3d_18(weights=None, num_classes=num_classes)
    _remake_first(net.stem, in_channels, stem_stride)  # type: ignore[arg-type]
    if dropout is not None:
        net.fc = nn.Sequential(nn.Dropout(dropout), net.fc)  # type: ignore[arg-type]
    return net


def published(weights: str | None) -> Published:
    """What torchvision says of its weights, by their name there; None and ``torchvision`` are the default ones.

    Raises:
        InputError: there are no such weights.
    """
    known = video.R3D_18_Weights
    names = list(known.__members__)
    if weights not in (None, *DEFAULT, *names):
        raise InputError(
            f"model.weights={weights}: no file, and torchvision has no such weights for {NAME}; "
            f"{did_you_mean(str(weights), [*names, 'torchvision'])}"
        )
    chosen = known["DEFAULT"] if weights in (None, *DEFAULT) else known[str(weights)]
    how: Any = chosen.transforms()
    return Published(
        source=f"torchvision's {chosen}",
        mean=tuple(how.mean),
        std=tuple(how.std),
        resize_px=how.resize_size[0],
        crop_px=how.crop_size[0],
        interpolation=how.interpolation.value,
        classes=tuple(chosen.meta["categories"]),
        load=lambda: state_of(chosen, weights),
        clip=(16, (how.resize_size[0], how.resize_size[1])),
    )


def _remake_first(stem: nn.Sequential, in_channels: int, stride: tuple[int, int, int]) -> None:
    """Another stride keeps the weights that the convolution has; other channels need fresh ones, as torchvision's."""
    first = stem[0]
    assert isinstance(first, nn.Conv3d)
    made = nn.Conv3d(in_channels, first.out_channels, (3, 7, 7), stride, (1, 3, 3), bias=False)
    if in_channels == first.in_channels:
        made.load_state_dict(first.state_dict())
    else:
        nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    stem[0] = made
