"""Local response normalisation against the paper's formula and torch's layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnexp.models.local_response_norm import LocalResponseNorm


def by_formula(a: torch.Tensor) -> torch.Tensor:
    """Section 3.3 of the paper, map by map."""
    maps = a.shape[1]
    rows = []
    for i in range(maps):
        total = a[:, max(0, i - 2) : min(maps, i + 3)].square().sum(1)
        rows.append(a[:, i] / (2 + 1e-4 * total) ** 0.75)
    return torch.stack(rows, 1)


@pytest.mark.parametrize("maps", [1, 3, 12])
def test_is_the_formula_forward_and_backward(maps: int) -> None:
    torch.manual_seed(0)
    x = (30 * torch.randn(2, maps, 3, 4)).requires_grad_()
    weight = torch.randn(2, maps, 3, 4)
    found, expected = LocalResponseNorm()(x), by_formula(x)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad((one * weight).sum(), x)[0] for one in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_torch_divides_alpha_by_the_number_of_maps() -> None:
    x, layer = 30 * torch.randn(2, 9, 3, 3), LocalResponseNorm()
    torch.testing.assert_close(layer(x), nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)(x))
    assert (layer.size, layer.alpha, layer.beta, layer.k) == (5, pytest.approx(5e-4), 0.75, 2.0)


def test_half_precision_does_not_overflow() -> None:
    found = LocalResponseNorm()(torch.full((1, 8, 1, 1), 400.0, dtype=torch.float16))
    assert found.dtype == torch.float16
    expected = 400 / (2 + 1e-4 * 5 * 400**2) ** 0.75
    assert found[0, 4, 0, 0].item() == pytest.approx(expected, rel=2e-3)
