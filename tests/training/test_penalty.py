"""The elastic net's value and gradient in closed form, and against SGD's own weight decay."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from cnnexp.training.penalty import Penalty


def weights_of(model: nn.Module) -> list[nn.Parameter]:
    """Of the convolution and the linear layer."""
    return [parameter for parameter in model.parameters() if parameter.ndim > 1]


def net() -> nn.Sequential:
    torch.manual_seed(5)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 4))


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.7), (0.3, 0.7)])
def test_value_and_gradient_in_closed_form(l1: float, l2: float) -> None:
    model = net()
    weights = weights_of(model)
    numbers = torch.cat([weight.detach().flatten() for weight in weights]).double().numpy()
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    value = Penalty(l1, l2).add_gradients(model)
    assert float(value) == pytest.approx(l1 * abs(numbers).sum() + l2 * (numbers**2).sum(), rel=1e-6)
    for weight in weights:
        assert weight.grad is not None
        expected = l1 * weight.detach().sign() + 2 * l2 * weight.detach()
        torch.testing.assert_close(weight.grad, expected, rtol=1e-6, atol=1e-7)


def test_biases_and_norms_are_left_alone() -> None:
    model = net()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    Penalty(0.5, 0.5).add_gradients(model)
    alone = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    assert len(alone) == 4
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in alone)
    before = float(Penalty(0.5, 0.5)(model).detach())
    with torch.no_grad():
        for parameter in alone:
            parameter.fill_(100.0)
    assert float(Penalty(0.5, 0.5)(model).detach()) == before


def test_the_gradient_is_the_one_that_autograd_finds() -> None:
    model, other = net(), net()
    loss = 0.3 * sum(weight.abs().sum() for weight in weights_of(other))
    (loss + 0.7 * sum(weight.square().sum() for weight in weights_of(other))).backward()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    Penalty(0.3, 0.7).add_gradients(model)
    for mine, autograds in zip(weights_of(model), weights_of(other), strict=True):
        torch.testing.assert_close(mine.grad, autograds.grad)


def test_biases_and_norms_are_penalised_when_asked_for() -> None:
    model = net()
    expected = sum(float(parameter.detach().abs().sum()) for parameter in model.parameters())
    assert float(Penalty(1.0, 0.0, everything=True)(model)) == pytest.approx(expected, rel=1e-6)
    assert float(Penalty(1.0, 0.0)(model)) < expected - 1


def test_l1_drives_the_weights_of_useless_inputs_to_zero() -> None:
    torch.manual_seed(0)
    x = torch.randn(40, 10)
    y = x[:, :2] @ torch.tensor([[1.5], [-2.0]]) + torch.randn(40, 1)  # the other eight inputs say nothing
    found = {}
    for l1 in (0.0, 0.5):
        model = nn.Linear(10, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(1500):
            optimizer.zero_grad()
            (model(x) - y).square().mean().backward()
            Penalty(l1, 0.0).add_gradients(model)
            optimizer.step()
        found[l1] = model.weight.detach().abs()[0]
    # with a fixed step a weight ends within a step or two of zero, lr * l1 = 0.005
    assert (found[0.5][2:] < 0.01).sum() >= 7
    assert (found[0.0][2:] > 0.05).sum() >= 5
    assert (found[0.5][:2] > 0.5).all()


def test_frozen_weights_are_left_out() -> None:
    model = net()
    frozen, other = weights_of(model)
    frozen.requires_grad_(False)
    expected = float(other.detach().abs().sum())
    assert float(Penalty(1.0, 0.0)(model).detach()) == pytest.approx(expected, rel=1e-6)


def test_a_net_without_such_weights_has_no_penalty() -> None:
    assert float(Penalty(1.0, 1.0)(nn.BatchNorm2d(3))) == 0.0


def test_off_is_off() -> None:
    assert not Penalty(0.0, 0.0).active
    assert Penalty(1e-9, 0.0).active and Penalty(0.0, 1e-9).active


def trained(model: nn.Module, penalty: Penalty, weight_decay: float) -> list[torch.Tensor]:
    """The weights after three steps on the same data."""
    torch.manual_seed(6)
    x, y = torch.randn(16, 6), torch.randn(16, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=weight_decay)
    for _ in range(3):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        penalty.add_gradients(model)
        optimizer.step()
    return [parameter.detach() for parameter in model.parameters()]


def test_twice_l2_is_the_weight_decay_of_sgd() -> None:
    torch.manual_seed(0)
    first = nn.Sequential(nn.Linear(6, 5, bias=False), nn.Tanh(), nn.Linear(5, 3, bias=False))
    second, third = copy.deepcopy(first), copy.deepcopy(first)
    penalised = trained(first, Penalty(0.0, 0.05), weight_decay=0.0)
    decayed = trained(second, Penalty(0.0, 0.0), weight_decay=0.1)
    plain = trained(third, Penalty(0.0, 0.0), weight_decay=0.0)
    for one, other, without in zip(penalised, decayed, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
        assert (one - without).abs().max() > 1e-3
