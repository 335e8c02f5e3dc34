"""Means of cells against torchvision-free arithmetic, and that place is kept."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from cnnexp.models.place_head import GRID, PlaceHead, cell_means


def test_means_of_cells() -> None:
    """Where cells are whole pixels they are torch's; elsewhere a pixel is shared out by its parts."""
    x = torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(cell_means(16) @ x @ cell_means(24).T, F.adaptive_avg_pool2d(x, GRID))
    assert cell_means(12)[0].tolist() == pytest.approx([2 / 3, 1 / 3] + [0] * 10)
    for side in (3, 8, 30, 33):
        assert cell_means(side).sum(1).tolist() == pytest.approx([1.0] * GRID)
        assert cell_means(side).sum(0).tolist() == pytest.approx([GRID / side] * side)


def test_a_pixel_somewhere_else_is_another_answer() -> None:
    torch.manual_seed(0)
    head, pixel = PlaceHead(1, 4), torch.zeros(2, 1, 16, 16)
    assert (head(pixel + 1) == 0.5).all(), "untrained it says the middle"
    torch.nn.init.normal_(head.linear.weight)
    pixel[0, 0, 3, 3] = pixel[1, 0, 12, 3] = 1
    assert (head(pixel)[0] != head(pixel)[1]).all()


def test_numbers_by_hand() -> None:
    """A map of ones: 64 means of 1, divided by 64, so that weights of 3 add 3 to the bias; a corner's cell, 3/64."""
    head, pictures = PlaceHead(1, 2), torch.ones(2, 1, 16, 16)
    pictures[1, 0, :, 2:] = pictures[1, 0, 2:] = 0
    torch.nn.init.constant_(head.linear.weight, 3)
    torch.testing.assert_close(head(pictures), torch.tensor([[3.5, 3.5], [0.5 + 3 / 64] * 2]))
