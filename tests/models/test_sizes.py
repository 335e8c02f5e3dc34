"""Sides of maps against torch's own layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.sizes import after, refuse_below


@pytest.mark.parametrize("side", [5, 8, 11, 13, 26, 55, 110, 224, 227])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "ceil"),
    [(3, 2, 0, False), (3, 1, 1, False), (5, 2, 2, False), (2, 2, 0, False), (3, 2, 0, True), (2, 2, 0, True)],
)
def test_sides_are_torchs(side: int, kernel: int, stride: int, padding: int, ceil: bool) -> None:
    layer = nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil)
    found = layer(torch.empty(1, 1, side, side + 1, device="meta")).shape[2:]
    assert after((side, side + 1), kernel, stride, padding, ceil=ceil) == tuple(found)


def test_the_formula_by_hand() -> None:
    assert after((227, 224), 11, stride=4) == (55, 54)
    assert after((224, 224), 7, stride=2, padding=3) == (112, 112)
    assert after((2, 9), 3) == (0, 7)


def test_a_refusal_says_what_to_give() -> None:
    refuse_below(67, (67, 300), "model=alexnet")
    with pytest.raises(InputError) as refused:
        refuse_below(67, (300, 32), "model=alexnet", usual_px=227)
    assert refused.value.lines == (
        "data.image_size=[300,32]: model=alexnet takes pictures of at least 67 pixels a side (227 as published); "
        "give data.image_size=[227,227], and pictures are brought to that size",
    )
