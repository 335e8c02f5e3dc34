"""U-Net (Ronneberger, Fischer, Brox 2015, figure 1)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import filling_for

Skips = Literal["concatenation", "sum"]


class UNet(nn.Module):
    """A contracting and an expanding path, joined at each resolution: a class for every pixel.

    Differs from the paper in that the convolutions are padded, so that the output has the size of the input, that batch
    norm may follow each of them, and that the paths may be joined by a sum. A picture whose sides are not multiples of
    2^depth is padded to them by repeating its last row and column, and the output is cut back: any height and width
    pass. The paper's net has width 64, depth 4, no norm.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K, background included.
        width: maps at full resolution; each pooling doubles them.
        depth: number of poolings.
        skips: how the contracting path's maps join those that come up: `concatenation` as in the paper, or `sum`, as in
            LinkNet (Chaurasia, Culurciello 2017), after which the next convolution has half as many inputs.
        norm: `batch` puts batch norm after each 3x3 convolution, `none` gives them a bias instead.
        activation: behind each 3x3 convolution; the paper's is ReLU.
        leaky_slope: of `leaky_relu` below zero; None is 0.01.
        dropout: probability in [0, 1) of dropping a map at the end of the contracting path; None for no dropout.

    Raises:
        InputError: a number below 1; a slope for an activation that has none.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        width: int,
        depth: int,
        norm: Literal["batch", "none"],
        skips: Skips = "concatenation",
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, depth=depth)
        widths = [width * 2**level for level in range(depth + 1)]
        self.depth, self.skips = depth, skips
        activating = Activating(activation, leaky_slope)
        self.down = nn.ModuleList(
            _double_convolution(before, after, norm, activating)
            for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Identity() if dropout is None else nn.Dropout2d(dropout)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * maps, maps, kernel_size=2, stride=2) for maps in reversed(widths[:-1])
        )
        joined = 2 if skips == "concatenation" else 1
        self.merge = nn.ModuleList(
            _double_convolution(joined * maps, maps, norm, activating) for maps in reversed(widths[:-1])
        )
        self.head = nn.Conv2d(width, num_classes, kernel_size=1)
        fill = filling_for(activation)  # He's, as the paper has, where it is the paper's ReLU
        self.apply(lambda module: fill(module) if isinstance(module, nn.Conv2d) else None)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K, H, W) of pictures (B, C, H, W)."""
        height, width = x.shape[-2:]
        x = self._pad_to_multiple(x)
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)
            skips.append(x)
        x = self.drop(skips.pop())
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(self._join(skips.pop(), up(x)))
        return self.head(x)[..., :height, :width]

    def stage_parts(self) -> list[list[str]]:
        """The resolutions on the way down and up again, and the head: for stages of the net."""
        down = [[f"down.{level}"] for level in range(self.depth + 1)]
        up = [[f"up.{step}", f"merge.{step}"] for step in range(self.depth)]
        return [*down[:-1], [*down[-1], "pool", "drop"], *up, ["head"]]

    def _join(self, skip: Tensor, raised: Tensor) -> Tensor:
        return skip + raised if self.skips == "sum" else torch.cat([skip, raised], dim=1)

    def _pad_to_multiple(self, x: Tensor) -> Tensor:
        multiple = 2**self.depth
        rows, columns = (-side % multiple for side in x.shape[-2:])
        return F.pad(x, (0, columns, 0, rows), mode="replicate") if rows or columns else x


def _double_convolution(in_width: int, width: int, norm: str, activating: Activating) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (in_width, width):
        layers.append(nn.Conv2d(before, width, kernel_size=3, padding=1, bias=norm == "none"))
        if norm == "batch":
            layers.append(nn.BatchNorm2d(width))
        layers.append(activating(width))
    return nn.Sequential(*layers)
