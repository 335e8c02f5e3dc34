"""Pooling by hand, and the gradient of a norm of nothing."""

from __future__ import annotations

import pytest
import torch

from cnnexp.models.pooling import pool

PICTURE = torch.tensor([[3.0, 4, 0, 0], [0, 0, 0, 0], [1, 2, 6, 0], [2, 4, 0, 8]])[None, None]


@pytest.mark.parametrize(
    ("name", "expected"), [("max", [4, 0, 4, 8]), ("average", [1.75, 0, 2.25, 3.5]), ("l2", [5, 0, 5, 10])]
)
def test_two_by_two(name: str, expected: list[float]) -> None:
    assert pool(name, 2, 2)(PICTURE).flatten().tolist() == pytest.approx(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["max", "average", "l2"])
def test_three_by_three_windows_overlap_and_stay_inside(name: str) -> None:
    layer = pool(name, 3, 2)  # type: ignore[arg-type]
    picture = torch.rand(1, 1, 8, 8)
    found = layer(picture)
    assert found.shape == (1, 1, 3, 3)
    window = picture[0, 0, 2:5, 4:7]
    expected = {"max": window.max(), "average": window.mean(), "l2": window.square().sum().sqrt()}[name]
    torch.testing.assert_close(found[0, 0, 1, 2], expected)


def test_a_norm_of_zeros_has_a_gradient_of_zero() -> None:
    picture = PICTURE.clone().requires_grad_()
    pool("l2", 2, 2)(picture).sum().backward()
    assert picture.grad is not None
    assert picture.grad[0, 0, :2, :2].flatten().tolist() == pytest.approx([0.6, 0.8, 0, 0])
    assert not picture.grad[0, 0, :2, 2:].any()
