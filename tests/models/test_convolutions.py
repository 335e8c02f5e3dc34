"""Convolutions taken apart and recalibrated: what they cost, and their formulas."""

from __future__ import annotations

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.convolutions import DepthwiseSeparable, SameConv1d, convolution, squeeze_excitation
from tests.models.made import counted, parameters


def test_a_separable_convolution_has_an_eighth_of_the_weights() -> None:
    assert counted(lambda: convolution("plain", 256, 256, 3, bias=False)) == 589_824
    assert counted(lambda: convolution("separable", 256, 256, 3, bias=False)) == 67_840
    assert counted(lambda: convolution("separable", 256, 256, 3, bias=True)) == 67_840 + 256


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_it_equals_the_plain_convolution_with_the_product_of_its_weights(kernel_size: int) -> None:
    torch.manual_seed(0)
    layer = convolution("separable", 4, 6, kernel_size, bias=True)
    assert isinstance(layer, DepthwiseSeparable)
    depthwise, pointwise = layer.depthwise, layer.pointwise
    assert isinstance(depthwise, nn.Conv2d) and isinstance(pointwise, nn.Conv2d)
    weight = pointwise.weight * depthwise.weight.squeeze(1)[None]
    x = torch.randn(2, 4, 9, 7)
    torch.testing.assert_close(layer(x), F.conv2d(x, weight, pointwise.bias, padding=kernel_size // 2))


def test_squeeze_excitation_is_the_papers_formula() -> None:
    torch.manual_seed(0)
    layer, x = squeeze_excitation(32, 16), torch.randn(2, 32, 5, 4)
    assert parameters(layer) == 2 * 32 * 2 + 2 + 32
    first, second = (one for one in layer.modules() if isinstance(one, nn.Conv2d))
    squeezed = torch.relu(x.mean((2, 3)) @ first.weight[:, :, 0, 0].T + first.bias)
    factors = torch.sigmoid(squeezed @ second.weight[:, :, 0, 0].T + second.bias)
    torch.testing.assert_close(layer(x), x * factors[:, :, None, None])


def test_a_squeeze_that_does_not_divide_the_maps_is_refused() -> None:
    for reduction in (0, -16, 24):
        with pytest.raises(InputError, match=rf"squeeze_excitation={reduction}: .* divides the 32 maps"):
            squeeze_excitation(32, reduction)


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 8, 16])
def test_same_along_time_equals_torchs_own(kernel_size: int) -> None:
    """torch pads the odd zero at the end too, and warns that it does."""
    torch.manual_seed(0)
    layer, x = SameConv1d(3, 5, kernel_size), torch.randn(2, 3, 21)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = F.conv1d(x, layer.weight, layer.bias, padding="same")
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(("length", "kernel_size", "stride"), [(8, 3, 2), (9, 3, 2), (9, 16, 2), (10, 5, 3), (4, 1, 3)])
def test_same_with_a_stride_by_hand(length: int, kernel_size: int, stride: int) -> None:
    """TensorFlow's rule, window by window: ceil(L / stride) of them, the zeros shared out, the odd one at the end."""
    layer, x = SameConv1d(1, 1, kernel_size, stride, bias=False), torch.randn(1, 1, length)
    windows = (length + stride - 1) // stride
    before = max((windows - 1) * stride + kernel_size - length, 0) // 2
    kernel, signal = layer.weight[0, 0].tolist(), x[0, 0].tolist()
    expected = [
        sum(
            kernel[tap] * signal[at]
            for tap in range(kernel_size)
            if 0 <= (at := window * stride - before + tap) < length
        )
        for window in range(windows)
    ]
    torch.testing.assert_close(layer(x)[0, 0], torch.tensor(expected))
