"""Convolutions with what usually follows them, plain or taken apart, and the recalibration of their maps."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import SqueezeExcitation

from cnnexp.errors import InputError
from cnnexp.models.activations import Activating
from cnnexp.models.fft_conv import FFTConv2d

Kind = Literal["plain", "separable", "fft"]


def convolution(kind: Kind, in_width: int, width: int, kernel_size: int, *, bias: bool) -> nn.Module:
    """(B, in_width, H, W) → (B, width, H, W), zero-padded.

    `plain` has K² · in_width · width weights; `separable` K² · in_width + in_width · width (Chollet 2017, "Xception",
    section 1), for 3x3 and 256 → 256 maps 67,840 in place of 589,824; `fft` has the weights and the result of `plain`.

    Args:
        kernel_size: K, odd.
    """
    if kind == "plain":
        return nn.Conv2d(in_width, width, kernel_size, padding=kernel_size // 2, bias=bias)
    if kind == "fft":
        return FFTConv2d(in_width, width, kernel_size, padding=kernel_size // 2, bias=bias)
    return DepthwiseSeparable(in_width, width, kernel_size, bias=bias)


def activated(
    in_width: int,
    width: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int | None = None,
    batch_norm: bool = False,
    activating: Activating,
) -> list[nn.Module]:
    """A convolution, batch norm where asked, the activation; zero-padded to keep the size unless `padding` is given."""
    around = kernel_size // 2 if padding is None else padding
    layers: list[nn.Module] = [nn.Conv2d(in_width, width, kernel_size, stride, around, bias=not batch_norm)]
    layers += [nn.BatchNorm2d(width)] if batch_norm else []
    return [*layers, activating(width)]


class SameConv1d(nn.Conv1d):
    """Along time, zero-padded: (B, in_width, L) → (B, width, ceil(L / stride)), also where the kernel is even.

    Keras' and TensorFlow's "same": as many zeros as the last window needs, the odd one at the end. torch's own has no
    stride.
    """

    def __init__(self, in_width: int, width: int, kernel_size: int, stride: int = 1, *, bias: bool = True) -> None:
        super().__init__(in_width, width, kernel_size, stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        length, (kernel_size,), (stride,) = x.shape[2], self.kernel_size, self.stride
        zeros = max((-(-length // stride) - 1) * stride + kernel_size - length, 0)
        return super().forward(F.pad(x, (zeros // 2, zeros - zeros // 2)))


class DepthwiseSeparable(nn.Sequential):
    """A convolution within each map, then a 1x1 convolution across maps, with nothing in between.

    That Xception does better without an activation in between is its section 4.7. The bias, where there is one, stands
    in the 1x1 convolution.
    """

    def __init__(self, in_width: int, width: int, kernel_size: int, *, bias: bool) -> None:
        depthwise = nn.Conv2d(in_width, in_width, kernel_size, padding=kernel_size // 2, groups=in_width, bias=False)
        pointwise = nn.Conv2d(in_width, width, kernel_size=1, bias=bias)
        super().__init__(OrderedDict(depthwise=depthwise, pointwise=pointwise))


def squeeze_excitation(width: int, reduction: int) -> nn.Module:
    """Every map times a factor in (0, 1) that is learnt from the means of all maps (Hu, Shen, Sun 2018, section 3).

    Two linear layers of width → width / reduction → width: 2 · width² / reduction weights and their biases.

    Raises:
        InputError: `reduction` is no number of at least 1 that divides `width`.
    """
    if reduction < 1 or width % reduction:
        raise InputError(
            f"model.squeeze_excitation={reduction}: must be a number that divides the {width} maps of each block; "
            "the paper's is 16"
        )
    return SqueezeExcitation(width, width // reduction)
