"""3D U-Net (Çiçek, Abdulkadir, Lienkamp, Brox, Ronneberger 2016, figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating, OneToOne
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import filling_for

Norm = Literal["batch", "instance", "none"]
Doubling = Literal["before_pooling", "after_pooling"]
Steps = tuple[int, int, int]
"""Along depth, height and width."""


class UNet3d(nn.Module):
    """A U-Net of volumes: a class for every voxel.

    Maps double at the second convolution of each resolution, before the pooling, as the paper has it against
    bottlenecks (after Szegedy 2015), and ``doubling=after_pooling`` doubles them where the 2-D U-Net does. It differs
    from the paper in that convolutions are padded, so that the output has the size of the input, and in the choices of
    norm and pooling. Sides that are no multiples of what the poolings divide by are padded to them by repeating the
    last voxels, and the output is cut back: any size passes. The paper's net has width 32, depth 3, pool 2.

    Args:
        in_channels: channels of a volume. num_classes: number of classes K, background included.
        width: maps of the first convolution. depth: number of poolings.
        pool: by what each pooling divides depth, height and width, such as ``(1, 2, 2)``; or such a list for each
            pooling, as thick slices want it: ``((1, 2, 2), (2, 2, 2), ...)``.
        norm: `batch` behind each 3×3×3 convolution, as in the paper, `instance` for batches of one or two (Ulyanov
            2016; nnU-Net, Isensee 2021), `none`. Behind a norm a convolution has no bias.
        doubling: where the number of maps doubles.
        activation: behind each 3×3×3 convolution; the paper's is ReLU. leaky_slope: of `leaky_relu`; None is 0.01.
        dropout: probability in [0, 1) of dropping a map at the end of the contracting path; None for no dropout.

    Raises:
        InputError: a number below 1; poolings that are not ``depth`` ones of three numbers.
    """

    reach: tuple[int, ...] | None
    """Voxels to each side of an aligned block that the block's answer depends on, along each axis; None: on all."""
    aligned: Steps
    """Blocks of so many voxels go through the poolings together: tiles begin at multiples of it."""

    def __init__(
        self,
        *,
        in_channels: int,
        num_classes: int,
        width: int,
        depth: int,
        pool: Sequence[int] | Sequence[Sequence[int]] = (2, 2, 2),
        norm: Norm = "batch",
        doubling: Doubling = "before_pooling",
        activation: OneToOne = "relu",
        leaky_slope: float | None = None,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        at_least_one(width=width, depth=depth)
        self.depth = depth
        self.steps = poolings(pool, depth)
        self.aligned = tuple(np.prod(self.steps, 0).tolist())
        # the statistics of instance norm are of the whole sample
        self.reach = None if norm == "instance" else tuple(map(reach_of, zip(*self.steps, strict=True)))
        activating = Activating(activation, leaky_slope)
        early = doubling == "before_pooling"
        last = [(2 if early else 1) * width * 2**level for level in range(depth + 1)]
        # the first convolution of a resolution keeps the number of maps where the second doubles it
        first = [width, *last[:-1]] if early else last
        self.down = nn.ModuleList(
            _double_convolution(maps, norm, activating)
            for maps in zip([in_channels, *last[:-1]], first, last, strict=True)
        )
        self.pool = nn.ModuleList(nn.MaxPool3d(step) for step in self.steps)
        self.drop = nn.Identity() if dropout is None else nn.Dropout3d(dropout)
        steps = list(reversed(self.steps))
        # the paper's up-convolutions keep the number of maps; with the other doubling they halve it, as in 2-D
        raised = [(below, below if early else maps) for maps, below in pairwise(last)][::-1]
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(*maps, kernel_size=step, stride=step) for maps, step in zip(raised, steps, strict=True)
        )
        self.merge = nn.ModuleList(
            _double_convolution((skip + up, skip, skip), norm, activating)
            for (_, up), skip in zip(raised, reversed(last[:-1]), strict=True)
        )
        self.head = nn.Conv3d(last[0], num_classes, kernel_size=1)
        fill = filling_for(activation)
        self.apply(lambda module: fill(module) if isinstance(module, nn.Conv3d) else None)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K, D, H, W) of volumes (B, C, D, H, W)."""
        size = x.shape[-3:]
        x = self._pad_to_multiple(x)
        skips = [self.down[0](x)]
        for pool, block in zip(self.pool, self.down[1:], strict=True):
            skips.append(block(pool(skips[-1])))
        x = self.drop(skips.pop())
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([skips.pop(), up(x)], dim=1))
        return self.head(x)[..., : size[0], : size[1], : size[2]]

    def stage_parts(self) -> list[list[str]]:
        """The resolutions on the way down and up again, and the head: for stages of the net."""
        down = [["down.0"], *([f"pool.{level}", f"down.{level + 1}"] for level in range(self.depth))]
        up = [[f"up.{step}", f"merge.{step}"] for step in range(self.depth)]
        return [*down[:-1], [*down[-1], "drop"], *up, ["head"]]

    def _pad_to_multiple(self, x: Tensor) -> Tensor:
        depth, height, width = (-side % multiple for side, multiple in zip(x.shape[-3:], self.aligned, strict=True))
        return F.pad(x, (0, width, 0, height, 0, depth), mode="replicate") if depth or height or width else x


def poolings(pool: Sequence[int] | Sequence[Sequence[int]], depth: int) -> list[Steps]:
    """By what each of the poolings divides depth, height and width.

    Raises:
        InputError: there are not as many, or one is not of three numbers of at least 1.
    """
    rows: list[Any] = list(pool) if pool and all(isinstance(one, Sequence) for one in pool) else [pool] * depth
    steps = [tuple(row) if isinstance(row, Sequence) else () for row in rows]
    if len(steps) != depth or not all(len(one) == 3 and min(one) >= 1 for one in steps):
        shown = str(pool).translate({ord(" "): "", ord("("): "[", ord(")"): "]"})
        raise InputError(
            f"model.pool={shown}: expected numbers along depth, height and width such as [1,2,2], or such a list for "
            f"each of the {depth} poolings of model.depth"
        )
    return [(one[0], one[1], one[2]) for one in steps]


def reach_of(steps: Sequence[int]) -> int:
    """How far a block sees beyond itself along an axis, of a U-Net of two convolutions of 3 for each resolution.

    Followed from the output back to the input: two convolutions, down to where it was raised from; and up again.

    Args:
        steps: by what each pooling divides the axis.
    """
    first = -2
    for step in steps:
        first = first // step - 2
    for step in reversed(steps):
        first = first * step - 2
    return -first


def _double_convolution(maps: Sequence[int], norm: Norm, activating: Activating) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(maps):
        layers.append(nn.Conv3d(before, after, kernel_size=3, padding=1, bias=norm == "none"))
        if norm != "none":
            layers.append(nn.BatchNorm3d(after) if norm == "batch" else nn.InstanceNorm3d(after, affine=True))
        layers.append(activating(after))
    return nn.Sequential(*layers)
