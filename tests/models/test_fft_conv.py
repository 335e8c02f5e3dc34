from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnexp.models.fft_conv import FFTConv2d, fft_conv2d, quick_size

CASES: dict[str, dict[str, Any]] = {
    "plain": dict(in_channels=3, out_channels=5, kernel_size=3),
    "stride and padding": dict(in_channels=4, out_channels=6, kernel_size=(5, 3), stride=(2, 3), padding=(2, 1)),
    "groups": dict(in_channels=6, out_channels=4, kernel_size=7, padding=3, groups=2, bias=False),
    "depthwise": dict(in_channels=6, out_channels=6, kernel_size=5, groups=6),
    "dilation": dict(in_channels=2, out_channels=3, kernel_size=3, dilation=(2, 4), padding=4),
    "same": dict(in_channels=2, out_channels=3, kernel_size=(4, 5), padding="same"),
    "as large as the picture": dict(in_channels=2, out_channels=3, kernel_size=(17, 22)),
}


@pytest.mark.parametrize("arguments", CASES.values(), ids=CASES.keys())
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_equal_to_direct_convolution_with_its_gradients(arguments: dict[str, Any]) -> None:
    torch.manual_seed(0)
    direct, ours = nn.Conv2d(**arguments), FFTConv2d(**arguments)
    ours.load_state_dict(direct.state_dict())
    x = torch.randn(2, arguments["in_channels"], 17, 22, requires_grad=True)
    expected, found = direct(x), ours(x)
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, atol=1e-5)
    weights = torch.randn_like(expected)
    wanted = torch.autograd.grad((expected * weights).sum(), [x, *direct.parameters()])
    got = torch.autograd.grad((found * weights).sum(), [x, *ours.parameters()])
    for one, other in zip(got, wanted, strict=True):
        assert torch.allclose(one, other, atol=1e-4, rtol=1e-4)


def test_large_kernels_on_large_pictures_stay_within_a_ten_thousandth() -> None:
    """The tolerance that is promised, at values of the size that nets have: variance 1 in, about 1 out."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 16, 128, 128, generator=generator)
    weight = torch.randn(8, 16, 31, 31, generator=generator) / (16 * 31**2) ** 0.5
    exact = functional.conv2d(x.double(), weight.double())
    assert exact.std() == pytest.approx(1, abs=0.1)
    assert float((fft_conv2d(x, weight) - exact).abs().max()) < 1e-4


def test_half_precision_is_computed_in_single() -> None:
    x, weight = torch.randn(1, 2, 9, 9), torch.randn(3, 2, 3, 3)
    found = fft_conv2d(x.bfloat16(), weight.bfloat16())
    assert found.dtype == torch.bfloat16
    expected = functional.conv2d(x.bfloat16().float(), weight.bfloat16().float())
    assert torch.allclose(found.float(), expected, atol=0.05)


def test_double_precision_keeps_its_digits() -> None:
    x, weight = torch.randn(1, 2, 9, 9).double(), torch.randn(3, 2, 3, 3).double()
    assert torch.allclose(fft_conv2d(x, weight), functional.conv2d(x, weight), atol=1e-12)


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(ValueError, match="larger than the padded maps"):
        fft_conv2d(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 5, 5))
    with pytest.raises(ValueError, match="zeros only"):
        FFTConv2d(1, 1, 3, padding=1, padding_mode="reflect")(torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize(("side", "quick"), [(1, 1), (7, 8), (11, 12), (31, 32), (97, 100), (224, 225), (257, 270)])
def test_quick_sizes(side: int, quick: int) -> None:
    assert quick_size(side) == quick
