"""SRCNN (Dong et al. 2014, "Learning a deep convolutional network for image super-resolution")."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.models.bicubic import REACH_PX, enlarged
from cnnexp.models.bounds import all_at_least_one
from cnnexp.models.initialisation import he_init


class SRCNN(nn.Module):
    """Three convolutions on the picture that bicubic interpolation enlarged: patches, a mapping, a reconstruction.

    The paper's 9-1-5 with 64 and 32 maps has 8,032 weights and 97 biases on grey pictures. Differs from the paper,
    which needs some 10^8 steps, in that the last convolution's answer may be added to the enlarged picture (Kim 2016,
    "Accurate image super-resolution using very deep convolutional networks", section 3.2), and that convolutions are
    padded with zeros, so that the answer has the size of the picture.

    Args:
        in_channels: channels of a picture, of the answer too.
        factor: by which a picture is enlarged; 1 restores it at its size.
        widths: maps of the first and of the second convolution.
        kernels: sides of the three kernels, odd: 9-1-5, 9-3-5 and 9-5-5 are published.
        residual: whether what is learnt is added to the enlarged picture; the paper's net has to learn all of it.

    Attributes:
        reach: pixels of the picture, to each side, that a pixel of the answer depends on.

    Raises:
        InputError: lists of another length; an even kernel; a number below 1.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        factor: int = 1,
        widths: tuple[int, ...] = (64, 32),
        kernels: tuple[int, ...] = (9, 1, 5),
        residual: bool = True,
    ) -> None:
        super().__init__()
        all_at_least_one(widths=widths, kernels=kernels)
        if len(widths) != 2 or len(kernels) != 3 or not all(side % 2 for side in kernels):
            raise InputError(
                f"model.widths={list(widths)}, model.kernels={list(kernels)}: expected two widths and three odd "
                "kernels, such as [64,32] and [9,1,5]"
            )
        self.factor, self.residual = factor, residual
        maps = list(pairwise([in_channels, *widths, in_channels]))
        self.patches, self.mapping, self.reconstruction = (
            nn.Conv2d(before, after, side, padding=side // 2)
            for (before, after), side in zip(maps, kernels, strict=True)
        )
        self.relu = nn.ReLU()
        self.apply(he_init)
        nn.init.normal_(self.reconstruction.weight, std=0.001)
        self.reach = -(-sum(side // 2 for side in kernels) // factor) + (REACH_PX if factor > 1 else 0)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W) in [0, 1] → (B, C, factor H, factor W), around [0, 1]."""
        x = enlarged(x, self.factor)
        found = self.reconstruction(self.relu(self.mapping(self.relu(self.patches(x)))))
        return x + found if self.residual else found
