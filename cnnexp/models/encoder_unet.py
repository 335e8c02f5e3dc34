"""U-Net whose contracting path is a net of torchvision or timm, which may come with trained weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import filling_for
from cnnexp.models.published import Published
from cnnexp.models.published_backbones import of_body, published_backbone
from cnnexp.models.pyramids import SMALL, Backbone, body_of
from cnnexp.models.unet import Borders, Norm, Padding, Skips, UNet, double_convolution

PLAIN_DEPTH = 3
ENCODER_DEPTH = 5
"""Halvings of most classifiers."""
UNDER = "encoder."
WIDE_FIRST = (2, 4)
"""Strides of an encoder's first maps: some halve the resolution at once by four."""


def unet(
    *,
    in_channels: int,
    num_classes: int,
    width: int,
    norm: Norm,
    encoder: str | None = None,
    depth: int | None = None,
    padding: Padding = "same",
    borders: Borders = "mirrored",
    skips: Skips = "concatenation",
    activation: OneToOne = "relu",
    leaky_slope: float | None = None,
    dropout: float | None = None,
) -> nn.Module:
    """The U-Net of ``UNet``, or with a net by name on its way down ``EncoderUNet``.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K, background included.
        width: maps at full resolution; each halving doubles them.
        norm: `batch` puts batch norm after each 3x3 convolution, `none` gives them a bias instead.
        encoder: a net of torchvision or timm by name on the way down; None for the plain U-Net.
        depth: halvings; None is 3, or 5 with an encoder.
        padding: of the 3x3 convolutions, `same` or `valid`.
        borders: of `valid` ones: `mirrored`, or `none`, which leaves a smaller output.
        skips: how the contracting path's maps join those that come up, `concatenation` or `sum`.
        activation: behind each 3x3 convolution.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a map at the end of the way down; None for no dropout.

    Raises:
        InputError: as for the two; valid convolutions around an encoder, which pads its own maps.
    """
    if encoder is not None and (padding != "same" or borders != "mirrored"):
        raise InputError(
            f"model.padding={padding} model.borders={borders}: valid convolutions are for model.encoder=null; "
            f"{encoder} pads its own maps"
        )
    shared: dict[str, Any] = dict(
        in_channels=in_channels, num_classes=num_classes, width=width, norm=norm, skips=skips, activation=activation,
        leaky_slope=leaky_slope, dropout=dropout,
    )  # fmt: skip
    if encoder is None:
        return UNet(**shared, depth=PLAIN_DEPTH if depth is None else depth, padding=padding, borders=borders)
    return EncoderUNet(**shared, encoder=encoder, depth=ENCODER_DEPTH if depth is None else depth)


class EncoderUNet(nn.Module):
    """An encoder's maps at its strides, and U-Net's expanding path from the coarsest of them to every pixel.

    Each step of the way up is a transposed convolution to the stride of the next finer maps, which join it, and two 3x3
    convolutions. No encoder has maps at full resolution, so the last step joins nothing. Where its first maps have a
    stride of 4, that step bridges both. A picture whose sides are not multiples of 2^depth is padded to them by
    repeating its last row and column, as in ``UNet``.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K.
        encoder: a net of torchvision or timm by name that has feature maps.
        width: maps of the way up at full resolution; each stride has as many as the plain U-Net, ``width * stride``.
        depth: halvings of the encoder that are used; its maps at strides from 2 (or 4) to 2^depth.
        norm: behind the 3x3 convolutions of the way up; the encoder has its own.
        skips: `concatenation`, or `sum` as in LinkNet (Chaurasia, Culurciello 2017), where the way up has as many maps
            as the encoder at the same stride.
        activation, leaky_slope: behind the 3x3 convolutions of the way up.
        dropout: probability in [0, 1) of dropping a map at the end of the encoder; None for no dropout.

    Raises:
        InputError: there is no such net, or it has no feature maps at these strides; a number below 1.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        encoder: str,
        width: int,
        depth: int,
        norm: Norm,
        skips: Skips,
        activation: OneToOne,
        leaky_slope: float | None,
        dropout: float | None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, depth=depth)
        self.depth, self.skips, activating = depth, skips, Activating(activation, leaky_slope)
        self.encoder, strides, maps = encoder_of(encoder, in_channels, depth)
        self.drop = nn.Identity() if dropout is None else nn.Dropout2d(dropout)
        wide = dict(zip(strides, maps, strict=True))
        self.up, self.merge, before = nn.ModuleList(), nn.ModuleList(), maps[-1]
        for coarse, fine in pairwise([*reversed(strides), 1]):
            own, skip = width * fine, wide.get(fine, 0)
            if skip and skips == "sum":
                own = skip
            joined = own if skips == "sum" else own + skip
            self.up.append(nn.ConvTranspose2d(before, own, kernel_size=coarse // fine, stride=coarse // fine))
            self.merge.append(double_convolution(joined, own, norm, "same", activating))
            before = own
        self.head = nn.Conv2d(before, num_classes, kernel_size=1)
        fill = filling_for(activation)
        for part in (self.merge, self.head):
            part.apply(fill)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K, H, W) of pictures (B, C, H, W)."""
        height, width = x.shape[-2:]
        rows, columns = (-side % 2**self.depth for side in (height, width))
        x = F.pad(x, (0, columns, 0, rows), mode="replicate") if rows or columns else x
        found = list(self.encoder(x).values())
        x = self.drop(found.pop())
        for up, merge in zip(self.up, self.merge, strict=True):
            x = up(x)
            if found:
                skip = found.pop()
                x = skip + x if self.skips == "sum" else torch.cat([skip, x], dim=1)
            x = merge(x)
        return self.head(x)[..., :height, :width]

    def stage_parts(self) -> list[list[str]]:
        """The encoder, the steps of the way up, and the head: for stages of the net."""
        return [["encoder", "drop"], *([f"up.{step}", f"merge.{step}"] for step in range(len(self.up))), ["head"]]


def encoder_of(name: str, in_channels: int, depth: int) -> tuple[nn.Module, list[int], list[int]]:
    """A net by name that answers a dict of maps from fine to coarse, their strides, and how many maps each has.

    Raises:
        InputError: there is no such net, or it has no maps at strides from 2 or 4 to 2^depth.
    """
    if name == SMALL:
        raise InputError(f"model.encoder={name}: a U-Net of its own is small: model.encoder=null, and model.width=8")
    told: InputError | None = None
    for first in WIDE_FIRST:
        strides = [2**level for level in range(first.bit_length() - 1, depth + 1)]
        if not strides:
            break
        try:
            body, maps = body_of(Backbone(name, tuple(strides), frozen=False), in_channels)
        except InputError as error:
            told = error
        else:
            return body, strides, maps
    if told is None:
        raise InputError(f"model.depth={depth}: expected a whole number of at least 1")
    words = (("model.backbone=", "model.encoder="), (f"neither {SMALL} nor", "neither null nor"))
    raise InputError(*(reduce(lambda line, pair: line.replace(*pair), words, line) for line in told.lines)) from told


def renamed(state: Mapping[str, Tensor], *, encoder: str | None, depth: int | None) -> dict[str, Tensor]:
    """A file's tensors by their names in the net; a classifier's are those of the encoder."""
    return dict(state) if encoder is None else of_body(state, lambda: _body(encoder, depth), UNDER)


def published(weights: str | None, *, encoder: str | None, depth: int | None) -> Published | None:
    """ImageNet's weights for the encoder; the plain U-Net has none."""
    if encoder is None:
        return None
    return published_backbone(
        weights, encoder, lambda: _body(encoder, depth), under=UNDER, task="segmentation", target="mask"
    )


def _body(encoder: str, depth: int | None) -> nn.Module:
    with torch.device("meta"):
        return encoder_of(encoder, 3, ENCODER_DEPTH if depth is None else depth)[0]
