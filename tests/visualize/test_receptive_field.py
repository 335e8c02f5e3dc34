"""Connections and fields of a row, against gradients of torch's convolution and the book's figures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnnexp.visualize.receptive_field import Layer, connected, count, field, reached, wide_enough


def test_the_book_s_rows_of_five() -> None:
    h, g = count([Layer(3), Layer(3)], 5)
    assert (h.seen + 1).tolist() == [2, 3, 4]  # figure 9.3: s3 sees x2, x3, x4
    assert (g.seen + 1).tolist() == [1, 2, 3, 4, 5]  # figure 9.4: g3 sees all five
    assert reached([h, g]) == [3, 5]  # figure 9.2: x3 reaches three of the first layer
    assert (h.connections, h.dense, h.shared, h.beyond) == (13, 25, 3, 2)


def gradients(inputs: int, layers: list[Layer]) -> np.ndarray:
    """(outputs, inputs) of a row of convolutions with weights of 1; where it is not 0 an output sees an input."""
    row = torch.ones(1, 1, inputs, dtype=torch.float64, requires_grad=True)
    x = row
    for layer in layers:
        before = layer.dilation * ((layer.kernel - 1) // 2)
        after = layer.dilation * (layer.kernel - 1) - before
        ones = torch.ones(1, 1, layer.kernel, dtype=torch.float64)
        x = functional.conv1d(functional.pad(x, (before, after)), ones, stride=layer.stride, dilation=layer.dilation)
    rows = [torch.autograd.grad(one, row, retain_graph=True)[0][0, 0] for one in x[0, 0]]
    return torch.stack(rows).numpy()


STACKS = [
    [Layer(3), Layer(3), Layer(3)],
    [Layer(2, 1, 1), Layer(2, 1, 2), Layer(2, 1, 4)],
    [Layer(3, 2), Layer(3), Layer(5, 3, 2)],
    [Layer(4, 2), Layer(1)],
]


@pytest.mark.parametrize("layers", STACKS, ids=range(len(STACKS)))
@pytest.mark.parametrize("width", [13, 20])
def test_what_is_seen_is_where_gradients_go(layers: list[Layer], width: int) -> None:
    counted = count(layers, width)
    for depth, one in enumerate(counted, start=1):
        assert np.array_equal(one.sees, gradients(width, layers[:depth]) != 0)
    for one in counted:
        taps = gradients(one.inputs, [one.layer])
        assert np.array_equal(one.mask, taps != 0) and one.connections == np.count_nonzero(taps)
        assert one.beyond == one.layer.kernel * one.outputs - one.connections
        assert np.array_equal(connected(one.inputs, one.layer), one.mask)


@pytest.mark.parametrize("layers", STACKS, ids=range(len(STACKS)))
def test_a_row_that_is_wide_enough_shows_the_whole_field(layers: list[Layer]) -> None:
    width = wide_enough(layers, 64)
    assert width is not None
    seen = count(layers, width)[-1].seen
    assert seen[-1] - seen[0] + 1 == field(layers)
    assert seen[0] > 0 and seen[-1] < width - 1


def test_the_field_by_the_formula() -> None:
    assert field([Layer(3), Layer(3)]) == 5 and field([Layer(3)] * 3) == 7
    assert field([Layer(2, 1, d) for d in (1, 2, 4)]) == 8  # doubles with each layer
    assert field([Layer(3, 2), Layer(3)]) == 7
    assert wide_enough([Layer(16)] * 8, 64) is None
