"""LeNet-5 as published (LeCun, Bottou, Bengio, Haffner 1998, section II.B); `lenet5` is its modern form."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnexp.models.lenet5 import SMALLEST_SIZE_PX, pad_to, size_after_convolutions
from cnnexp.models.stylised_digits import CODE_LENGTH, codes

AMPLITUDE, SLOPE = 1.7159, 2 / 3
"""Of the squashing function, appendix A: f(1) = 1 and f(-1) = -1, where the targets lie."""

TABLE_I: tuple[tuple[int, ...], ...] = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)
"""The maps of S2 that each of C3's sixteen maps is made of."""


class ScaledTanh(nn.Module):
    """A·tanh(S·a) with A = 1.7159 and S = 2/3 (equation 6)."""

    def forward(self, x: Tensor) -> Tensor:
        return AMPLITUDE * torch.tanh(SLOPE * x)


class Subsampling(nn.Module):
    """The sum of 2x2 pixels times a coefficient plus a bias, both learnt for each map: (B, C, H, W) → (B, C, H/2, W/2).

    What is left of an odd side is not read.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.kernel_size = self.stride = 2
        self.coefficient = nn.Parameter(torch.empty(maps))
        self.bias = nn.Parameter(torch.empty(maps))

    def forward(self, x: Tensor) -> Tensor:
        sums = F.avg_pool2d(x, 2, divisor_override=1)
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


class PartialConvolution(nn.Module):
    """A convolution whose maps are each made of some of the input's: (B, C, H, W) → (B, K, H - F + 1, W - F + 1).

    There are weights for these connections alone: F·F for each, and a bias a map. Maps of equally many inputs are one
    grouped convolution.

    Args:
        connections: the input maps of each of K output maps; those of as many inputs stand together.
        kernel_size: F.
    """

    def __init__(self, connections: Sequence[Sequence[int]], kernel_size: int) -> None:
        super().__init__()
        self.connections = tuple(tuple(one) for one in connections)
        kinds = self._kinds()
        self.parts = nn.ModuleList(
            nn.Conv2d(count * maps, maps, kernel_size, groups=maps) for count, maps in kinds.items()
        )
        self.counts = [count * maps for count, maps in kinds.items()]
        self.inputs: Tensor
        self.register_buffer("inputs", torch.tensor([i for one in self.connections for i in one]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        given = x.index_select(1, self.inputs).split(self.counts, 1)
        return torch.cat([part(one) for part, one in zip(self.parts, given, strict=True)], 1)

    def _kinds(self) -> dict[int, int]:
        """How many maps have so many inputs, in their order."""
        counts = [len(one) for one in self.connections]
        return {count: counts.count(count) for count in counts}


class RadialBasis(nn.Module):
    """The penalty of each class, the squared distance to its code: y = Σ (x - w)² (equation 7). (B, 84) → (B, K).

    The codes are fixed: see `stylised_digits`. They belong to no saved weights.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        numbers = torch.tensor(codes(classes), dtype=torch.get_default_dtype())
        self.codes: Tensor
        self.register_buffer("codes", numbers, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None] - self.codes).square().sum(2)


class LeNet51998(nn.Module):
    """C1, S2, C3, S4, C5, F6 and radial basis functions: 60,000 trainable parameters on one channel.

    On 1x32x32: C1 6 maps of 28x28 (156 parameters), S2 14x14 (12), C3 16 maps of 10x10 (1,516), S4 5x5 (32), C5 120
    (48,120), F6 84 (10,164). All but the output are squashed by 1.7159·tanh(2a/3). Smaller pictures are padded to 32
    pixels as for `LeNet5`; for larger ones C5 is as large as S4's maps.

    The answers are the negative penalties, so that their cross entropy, the penalty of the right class plus
    log Σ exp(-penalty), is the paper's maximum a posteriori criterion (equation 9) up to its constant: the sum there
    holds exp(-j) too, for "rubbish" that is no digit, which keeps the penalties of wrong classes from growing for ever.
    Weights begin uniform within ±2.4/fan-in, as in the paper.

    Args:
        in_channels: channels of a picture.
        num_classes: number of classes K; for ten the codes are the digits.
        image_size: height and width of a picture in pixels.
    """

    def __init__(self, *, in_channels: int, num_classes: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        height, width = (max(side, SMALLEST_SIZE_PX) for side in image_size)
        self.pad = pad_to(image_size, (height, width))
        self.c1 = nn.Conv2d(in_channels, 6, kernel_size=5)
        self.squash1 = ScaledTanh()
        self.s2 = Subsampling(6)
        self.squash2 = ScaledTanh()
        self.c3 = PartialConvolution(TABLE_I, kernel_size=5)
        self.squash3 = ScaledTanh()
        self.s4 = Subsampling(16)
        self.squash4 = ScaledTanh()
        self.c5 = nn.Conv2d(16, 120, kernel_size=(size_after_convolutions(height), size_after_convolutions(width)))
        self.squash5 = ScaledTanh()
        self.flatten = nn.Flatten()
        self.f6 = nn.Linear(120, CODE_LENGTH)
        self.squash6 = ScaledTanh()
        self.rbf = RadialBasis(num_classes)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Negative penalties (B, K) of pictures (B, C, H, W)."""
        x = self.squash2(self.s2(self.squash1(self.c1(self.pad(x)))))
        x = self.squash4(self.s4(self.squash3(self.c3(x))))
        x = self.flatten(self.squash5(self.c5(x)))
        return -self.rbf(self.squash6(self.f6(x)))


def _initialise(module: nn.Module) -> None:
    """Uniform within ±2.4 / fan-in; a bias has the bounds of its unit's weights."""
    weights: list[Tensor]
    if isinstance(module, Subsampling):
        weights, fan_in = [module.coefficient, module.bias], 4
    elif isinstance(module, nn.Conv2d | nn.Linear):
        assert module.bias is not None
        weights, fan_in = [module.weight, module.bias], math.prod(module.weight.shape[1:])
    else:
        return
    for one in weights:
        nn.init.uniform_(one, -2.4 / fan_in, 2.4 / fan_in)
