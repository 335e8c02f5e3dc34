"""LeNet-5 as published, against the paper's figures, its table I and its formulas."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnexp.models.lenet5_1998 import TABLE_I, LeNet51998, RadialBasis, Subsampling
from cnnexp.models.stylised_digits import HEIGHT, WIDTH, codes
from tests.models.made import learns, parameters, shapes

PRINTED = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""
"""Table I: a row for each map of S2, a column for each of C3."""


def lenet5_1998(side: int = 32, classes: int = 10, channels: int = 1) -> LeNet51998:
    return LeNet51998(in_channels=channels, num_classes=classes, image_size=(side, side))


@pytest.mark.parametrize("side", [28, 32])
def test_parameters_layer_by_layer(side: int) -> None:
    net = lenet5_1998(side)
    counts = {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164, "rbf": 0}
    assert {name: parameters(net.get_submodule(name)) for name in counts} == counts
    assert parameters(net) == sum(counts.values()) == 60_000


def test_maps_of_each_layer() -> None:
    found = shapes(lenet5_1998(), ["c1", "s2", "c3", "s4", "c5", "f6", "rbf"], torch.rand(2, 1, 32, 32))
    assert [*found.values()] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120, 1, 1), (84,), (10,)]


def test_connections_are_those_of_table_i() -> None:
    rows = [line.split() for line in PRINTED.strip().splitlines()]
    printed = {(row, column) for row, cells in enumerate(rows) for column, cell in enumerate(cells) if cell == "X"}
    assert {(row, column) for column, inputs in enumerate(TABLE_I) for row in inputs} == printed
    assert len(printed) == 60


def test_a_map_of_c3_reads_its_inputs_alone() -> None:
    net, x = lenet5_1998(), torch.rand(1, 6, 14, 14, requires_grad=True)
    for column, inputs in enumerate(TABLE_I):
        (gradient,) = torch.autograd.grad(net.c3(x)[:, column].sum(), x)
        assert tuple(gradient[0].flatten(1).any(1).nonzero().flatten().tolist()) == inputs


def test_c3_is_a_convolution_whose_other_weights_are_zero() -> None:
    net, x = lenet5_1998(), torch.randn(2, 6, 14, 14)
    dense, bias, column = torch.zeros(16, 6, 5, 5), torch.zeros(16), 0
    for part in net.c3.parts:
        for weight, own in zip(part.weight, part.bias, strict=True):
            dense[column, list(TABLE_I[column])], bias[column] = weight, own
            column += 1
    torch.testing.assert_close(net.c3(x), F.conv2d(x, dense, bias))


def test_subsampling_by_hand() -> None:
    layer = Subsampling(2)
    with torch.no_grad():
        layer.coefficient.copy_(torch.tensor([2.0, -1.0]))
        layer.bias.copy_(torch.tensor([0.5, 0.25]))
    x = torch.tensor([[[[1.0, 2.0, 9.0], [3.0, 4.0, 9.0], [9.0, 9.0, 9.0]]] * 2]).view(1, 2, 3, 3)
    assert layer(x).flatten().tolist() == [2 * 10 + 0.5, -10 + 0.25]


def test_equals_the_formula() -> None:
    net, x = lenet5_1998(), torch.randn(3, 1, 32, 32)

    def squashed(a: torch.Tensor) -> torch.Tensor:
        return 1.7159 * torch.tanh(2 / 3 * a)

    def sampled(a: torch.Tensor, layer: Subsampling) -> torch.Tensor:
        sums = a[..., ::2, ::2] + a[..., 1::2, ::2] + a[..., ::2, 1::2] + a[..., 1::2, 1::2]
        return squashed(sums * layer.coefficient.view(-1, 1, 1) + layer.bias.view(-1, 1, 1))

    a = sampled(squashed(F.conv2d(x, net.c1.weight, net.c1.bias)), net.s2)
    a = sampled(squashed(net.c3(a)), net.s4).flatten(1)
    a = squashed(a @ net.c5.weight.flatten(1).T + net.c5.bias)
    a = squashed(a @ net.f6.weight.T + net.f6.bias)
    penalties = torch.stack([((a - torch.tensor(code)) ** 2).sum(1) for code in codes(10)], 1)
    torch.testing.assert_close(net(x), -penalties, rtol=1e-4, atol=1e-4)
    assert [round(float(squashed(torch.tensor(one))), 4) for one in (1.0, -1.0)] == [1.0, -1.0]


def test_cross_entropy_is_the_paper_s_criterion_up_to_its_constant() -> None:
    """Equation 9 with the "rubbish" class, whose constant penalty j is large here: it has no part any more."""
    penalties, truth, j = torch.tensor([[3.0, 0.5, 7.0]]), 1, 60.0
    criterion = penalties[0, truth] + math.log(math.exp(-j) + float((-penalties).exp().sum()))
    assert float(F.cross_entropy(-penalties, torch.tensor([truth]))) == pytest.approx(float(criterion), abs=1e-6)


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    net, x = lenet5_1998(28), torch.randn(4, 1, 28, 28)
    learns(net, x)
    small = net.double()
    x = x.double().requires_grad_()
    value, weight, step = small(x).sum(), small.s2.coefficient, 1e-6
    (slope,) = torch.autograd.grad(value, weight)
    with torch.no_grad():
        weight[2] += step
        assert float((small(x).sum() - value) / step) == pytest.approx(float(slope[2]), rel=1e-4)


def test_weights_begin_within_the_paper_s_bounds() -> None:
    net = lenet5_1998()
    for layer, fan_in in ((net.c1, 25), (net.c3.parts[0], 75), (net.c5, 400), (net.f6, 120)):
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        assert 0.5 * 2.4 / fan_in < float(layer.weight.detach().abs().max()) <= 2.4 / fan_in
    assert float(net.s4.coefficient.detach().abs().max()) <= 0.6


def test_codes_are_pictures_of_seven_by_twelve_that_differ() -> None:
    drawn = codes(10)
    assert all(len(code) == WIDTH * HEIGHT == 84 and set(code) == {-1, 1} for code in drawn)
    distances = [sum(a != b for a, b in zip(drawn[i], drawn[j], strict=True)) for i in range(10) for j in range(i)]
    assert min(distances) >= 8
    assert "".join("#" if one == 1 else "." for one in drawn[7][7:14]) == "#######", "the bar of the seven"
    assert codes(12) == codes(12) and len({tuple(code) for code in codes(12)}) == 12


def test_other_classes_channels_and_sizes() -> None:
    net = lenet5_1998(40, classes=4, channels=3)
    assert net(torch.rand(2, 3, 40, 40)).shape == (2, 4)
    assert "rbf.codes" not in net.state_dict()
    assert torch.equal(RadialBasis(10)(torch.tensor([codes(10)[7]]).float())[0].argmin(), torch.tensor(7))
