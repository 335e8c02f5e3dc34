"""U-Net (Ronneberger, Fischer, Brox 2015, figure 1)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import filling_for
from cnnexp.models.mirrored import mirrored

Norm = Literal["batch", "none"]
Skips = Literal["concatenation", "sum"]
Padding = Literal["same", "valid"]
Borders = Literal["mirrored", "none"]


class UNet(nn.Module):
    """A contracting and an expanding path, joined at each resolution: a class for every pixel.

    The paper's net has width 64, depth 4, no norm and ``padding=valid``: its convolutions answer only where they see
    nothing but picture, so that 572 x 572 pixels come out as 388 x 388, and the contracting path's maps are cut around
    their centre before they are joined. What is missing at the borders is mirrored (figure 2), here within the net, so
    that its output has the size of its input.

    ``padding=same`` differs: zeros around every map keep its size. A picture whose sides are no multiples of 2^depth is
    padded to them by repeating its last row and column, and the output is cut back. Batch norm and sums are not the
    paper's either. Any height and width pass, but with ``borders=none``.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K, background included.
        width: maps at full resolution; each pooling doubles them.
        depth: number of poolings.
        skips: how the contracting path's maps join those that come up: `concatenation` as in the paper, or `sum`, as in
            LinkNet (Chaurasia, Culurciello 2017), after which the next convolution has half as many inputs.
        padding: of the 3x3 convolutions, `same` or `valid`. borders: of `valid` ones: `mirrored`, or `none`, which
            leaves an output that is ``shrinks_px`` smaller at each side.
        norm: `batch` puts batch norm after each 3x3 convolution, `none` gives them a bias instead.
        activation: behind each 3x3 convolution; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a map at the end of the contracting path; None for no dropout.

    Raises:
        InputError: a number below 1; a slope for an activation that has none; borders without `valid`.
    """

    reach: int
    """Pixels to each side of an aligned block that the block's answer depends on, or fewer."""
    aligned: int
    """Blocks of so many pixels go through the poolings together: tiles begin at multiples of it."""
    shrinks_px: int
    """Pixels that the output lacks at each side."""

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        width: int,
        depth: int,
        norm: Norm,
        padding: Padding = "same",
        borders: Borders = "mirrored",
        skips: Skips = "concatenation",
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, depth=depth)
        if padding == "same" and borders == "none":
            raise InputError("model.borders=none: padded convolutions lose no border; it is for model.padding=valid")
        widths = [width * 2**level for level in range(depth + 1)]
        self.depth, self.skips, self.padding, self.borders = depth, skips, padding, borders
        self.aligned, self.reach = 2**depth, 6 * 2**depth
        self.margin = 6 * self.aligned - 4 if padding == "valid" else 0
        self.shrinks_px = self.margin if borders == "none" else 0
        activating = Activating(activation, leaky_slope)
        self.down = nn.ModuleList(
            double_convolution(before, after, norm, padding, activating)
            for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Identity() if dropout is None else nn.Dropout2d(dropout)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * maps, maps, kernel_size=2, stride=2) for maps in reversed(widths[:-1])
        )
        joined = 2 if skips == "concatenation" else 1
        self.merge = nn.ModuleList(
            double_convolution(joined * maps, maps, norm, padding, activating) for maps in reversed(widths[:-1])
        )
        self.head = nn.Conv2d(width, num_classes, kernel_size=1)
        fill = filling_for(activation)  # He's, as the paper has, where it is the paper's ReLU
        self.apply(lambda module: fill(module) if isinstance(module, nn.Conv2d) else None)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K, H, W) of pictures (B, C, H, W); with ``borders=none`` of their inner part."""
        height, width = x.shape[-2:]
        if self.padding == "same":
            x = self._pad_to_multiple(x)
        elif self.borders == "mirrored":
            x = mirrored(x, self._margins(height), self._margins(width))
        else:
            self._refuse(height, width)
            height, width = height - 2 * self.margin, width - 2 * self.margin
        return self.inner(x)[..., :height, :width]

    def inner(self, x: Tensor) -> Tensor:
        """The two paths: logits of pictures (B, C, H, W), smaller by ``margin`` at each side.

        H and W are multiples of ``aligned``, less 4 where the convolutions are valid.
        """
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)
            skips.append(x)
        x = self.drop(skips.pop())
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(self._join(skips.pop(), up(x)))
        return self.head(x)

    def stage_parts(self) -> list[list[str]]:
        """The resolutions on the way down and up again, and the head: for stages of the net."""
        down = [[f"down.{level}"] for level in range(self.depth + 1)]
        up = [[f"up.{step}", f"merge.{step}"] for step in range(self.depth)]
        return [*down[:-1], [*down[-1], "pool", "drop"], *up, ["head"]]

    def _join(self, skip: Tensor, raised: Tensor) -> Tensor:
        if self.padding == "valid":
            skip = _centre(skip, raised.shape[-2], raised.shape[-1])
        return skip + raised if self.skips == "sum" else torch.cat([skip, raised], dim=1)

    def _margins(self, length: int) -> tuple[int, int]:
        """Before and behind an axis, so that the whole of it is answered and every pooling divides."""
        missing = 4 - length if length < 4 else (4 - length) % self.aligned
        return self.margin, self.margin + missing

    def _refuse(self, *size: int) -> None:
        least = 2 * self.margin + 4
        if all(side >= least and (side + 4) % self.aligned == 0 for side in size):
            return
        near = [max(least, -(-(side + 4) // self.aligned) * self.aligned - 4) for side in size]
        raise InputError(
            f"data.image_size=[{size[0]},{size[1]}]: valid convolutions with model.depth={self.depth} and "
            f"model.borders=none take sides of {least}, {least + self.aligned}, {least + 2 * self.aligned} and so on; "
            f"take model.borders=mirrored, or data.image_size=[{near[0]},{near[1]}]"
        )

    def _pad_to_multiple(self, x: Tensor) -> Tensor:
        multiple = 2**self.depth
        rows, columns = (-side % multiple for side in x.shape[-2:])
        return F.pad(x, (0, columns, 0, rows), mode="replicate") if rows or columns else x


def _centre(maps: Tensor, height: int, width: int) -> Tensor:
    top, left = (maps.shape[-2] - height) // 2, (maps.shape[-1] - width) // 2
    return maps[..., top : top + height, left : left + width]


def double_convolution(in_width: int, width: int, norm: str, padding: Padding, activating: Activating) -> nn.Sequential:
    """Two 3x3 convolutions, each with its norm, or a bias in its place, and its activation."""
    layers: list[nn.Module] = []
    for before in (in_width, width):
        around = 1 if padding == "same" else 0
        layers.append(nn.Conv2d(before, width, kernel_size=3, padding=around, bias=norm == "none"))
        if norm == "batch":
            layers.append(nn.BatchNorm2d(width))
        layers.append(activating(width))
    return nn.Sequential(*layers)
