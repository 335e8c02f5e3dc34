"""Convolution by the fast Fourier transform (Mathieu, Henaff, LeCun 2014, "Fast training of convolutional networks
through FFTs")."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_FACTORS = (2, 3, 5)
"""Sizes without other prime factors are quickly transformed."""


class FFTConv2d(nn.Conv2d):
    """A drop-in for ``torch.nn.Conv2d``: the same arguments, weights and result (to float tolerance), by FFT.

    Its cost hardly depends on the kernel's size: H·W·log(H·W) for each map, and one product for each pair of maps and
    frequency. A direct convolution takes h·w products at each pixel. A stride saves nothing here: the dense result is
    computed and sampled. Zero padding only.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, C, H, W) → (B, D, H', W'), as ``torch.nn.Conv2d``.

        Raises:
            ValueError: another padding than zeros is asked for, or the kernel is larger than the padded maps.
        """
        if self.padding_mode != "zeros":
            raise ValueError(f"padding_mode={self.padding_mode}: convolution by FFT pads with zeros only")
        assert isinstance(self.padding, (tuple, str))
        return fft_conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def fft_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] | str = (0, 0),
    dilation: Sequence[int] = (1, 1),
    groups: int = 1,
) -> Tensor:
    """``torch.nn.functional.conv2d`` by FFT; differentiable.

    A product of spectra is a circular convolution; the conjugate of the kernel's spectrum turns it into the
    cross-correlation that nets call a convolution. Over the size of the padded maps, the places where it wraps around
    are just those that a convolution without padding does not have.

    Args:
        x: (B, C, H, W). weight: (D, C / groups, h, w). bias: (D,).
        padding: zeros around, or ``same`` or ``valid``. Half precision is computed in single.

    Returns:
        (B, D, H', W').

    Raises:
        ValueError: the kernel is larger than the padded maps.
    """
    kind, x, kernel = x.dtype, _at_least_single(x), _dilated(_at_least_single(weight), dilation)
    left, right, top, bottom = _sides(padding, kernel)
    size = (x.shape[-2] + top + bottom, x.shape[-1] + left + right)
    height, width = (side - k + 1 for side, k in zip(size, kernel.shape[-2:], strict=True))
    if height < 1 or width < 1:
        raise ValueError(f"a kernel of {tuple(kernel.shape[-2:])} is larger than the padded maps of {size}")
    area = [quick_size(side) for side in size]
    with torch.autocast(x.device.type, enabled=False):
        spectrum = torch.fft.rfft2(functional.pad(x, (left, right, top, bottom)), s=area)
        product = _mixed(spectrum, torch.fft.rfft2(kernel, s=area).conj(), groups)
        dense = torch.fft.irfft2(product, s=area)[..., :height, :width]
    output = dense[..., :: stride[0], :: stride[1]]
    return (output if bias is None else output + bias[:, None, None]).to(kind).contiguous()


def quick_size(side: int) -> int:
    """The smallest size from ``side`` on that has no prime factors but 2, 3 and 5."""
    while True:
        rest = side
        for factor in _FACTORS:
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return side
        side += 1


def _mixed(spectrum: Tensor, kernel: Tensor, groups: int) -> Tensor:
    """At each frequency a product of matrices: (B, C, F, G) and (D, C / groups, F, G) → (B, D, F, G)."""
    batch, channels, *area = spectrum.shape
    outputs = kernel.shape[0]
    maps = spectrum.reshape(batch, groups, channels // groups, -1).permute(1, 3, 0, 2)
    weights = kernel.reshape(groups, outputs // groups, channels // groups, -1).permute(0, 3, 2, 1)
    return (maps @ weights).permute(2, 0, 3, 1).reshape(batch, outputs, *area)


def _dilated(weight: Tensor, dilation: Sequence[int]) -> Tensor:
    """The kernel with zeros between its weights."""
    if tuple(dilation) == (1, 1):
        return weight
    height, width = ((side - 1) * step + 1 for side, step in zip(weight.shape[-2:], dilation, strict=True))
    wide = weight.new_zeros(*weight.shape[:2], height, width)
    wide[..., :: dilation[0], :: dilation[1]] = weight
    return wide


def _sides(padding: Sequence[int] | str, kernel: Tensor) -> tuple[int, int, int, int]:
    """Zeros at the left, right, top and bottom; of an uneven number ``same`` puts the odd one at the end, as torch."""
    height, width = (side - 1 for side in kernel.shape[-2:])
    if padding == "same":
        return width // 2, width - width // 2, height // 2, height - height // 2
    if padding == "valid":
        return 0, 0, 0, 0
    assert not isinstance(padding, str)
    return padding[1], padding[1], padding[0], padding[0]


def _at_least_single(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
