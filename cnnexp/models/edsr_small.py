"""EDSR (Lim et al. 2017, "Enhanced deep residual networks for single image super-resolution") of any size."""

from __future__ import annotations

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bicubic import REACH_PX, enlarged
from cnnexp.models.bounds import at_least_one
from cnnexp.models.initialisation import he_init

STEPS = {1: (), 2: (2,), 3: (3,), 4: (2, 2)}
"""Pixel shuffles one after another, by the factor of them all."""


class EDSRSmall(nn.Module):
    """Residual blocks without norm at the low resolution, then pixel shuffles to the high one.

    With 64 maps and 16 blocks it is the paper's baseline: 1,369,859 parameters for factor 2, 1,517,571 for 4. Differs
    from it in that what is learnt may be added to the picture that bicubic interpolation enlarged, in place of the
    mean colour that the paper subtracts and adds: a short training then begins with bicubic and not with nothing. With
    factor 1 it has no shuffle and restores pictures at their size.

    Args:
        in_channels: channels of a picture, of the answer too.
        factor: 1, 2, 3 or 4.
        width: maps. blocks: residual blocks of two convolutions.
        scale: of a block's answer before it is added; the paper takes 0.1 where blocks have 256 maps.
        residual: whether what is learnt is added to the enlarged picture.

    Attributes:
        reach: pixels of the picture, to each side, that a pixel of the answer depends on.

    Raises:
        InputError: a number below 1, another factor.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        factor: int = 1,
        width: int,
        blocks: int,
        scale: float = 1.0,
        residual: bool = True,
    ) -> None:
        super().__init__()
        at_least_one(width=width, blocks=blocks)
        if factor not in STEPS:
            raise InputError(f"task.factor={factor}: model=edsr_small enlarges by 2, 3 or 4")
        self.factor, self.residual = factor, residual
        self.head = nn.Conv2d(in_channels, width, 3, padding=1)
        self.body = nn.Sequential(*(_Block(width, scale) for _ in range(blocks)), nn.Conv2d(width, width, 3, padding=1))
        self.up = nn.Sequential(
            *(
                layer
                for step in STEPS[factor]
                for layer in (nn.Conv2d(width, width * step**2, 3, padding=1), nn.PixelShuffle(step))
            )
        )
        self.tail = nn.Conv2d(width, in_channels, 3, padding=1)
        self.apply(he_init)
        for block in self.body:
            if isinstance(block, _Block):
                nn.init.zeros_(
                    block.second.weight
                )  # blocks begin as they are not there: without norm they would add up
        nn.init.normal_(self.tail.weight, std=0.001)
        self.reach = max(3 + 2 * blocks + len(STEPS[factor]), REACH_PX)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W) in [0, 1] → (B, C, factor H, factor W), around [0, 1]."""
        first = self.head(x)
        found = self.tail(self.up(first + self.body(first)))
        return enlarged(x, self.factor) + found if self.residual else found


class _Block(nn.Module):
    """x + scale conv(relu(conv x))."""

    def __init__(self, width: int, scale: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.relu = nn.ReLU()
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * self.second(self.relu(self.first(x)))
