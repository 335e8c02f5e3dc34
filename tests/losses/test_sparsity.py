"""The divergence of activities by hand and by torch's distributions."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, kl_divergence

from cnnexp.losses.sparsity import activity_divergence


def test_two_units_by_hand() -> None:
    activity = torch.tensor([[0.1, 0.4], [0.3, 0.6]])  # means 0.2 and 0.5
    first = 0.05 * math.log(0.05 / 0.2) + 0.95 * math.log(0.95 / 0.8)
    second = 0.05 * math.log(0.05 / 0.5) + 0.95 * math.log(0.95 / 0.5)
    assert activity_divergence(activity, 0.05).item() == pytest.approx(first + second, rel=1e-6)


def test_it_is_0_at_the_wish_and_that_of_two_coins_elsewhere() -> None:
    assert activity_divergence(torch.full((4, 3), 0.25), 0.25).item() == pytest.approx(0, abs=1e-7)
    activity = torch.rand(50, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    mine = activity_divergence(activity, 0.1)
    theirs = kl_divergence(Bernoulli(torch.tensor(0.1, dtype=torch.float64)), Bernoulli(activity.mean(0))).sum()
    assert mine.item() == pytest.approx(theirs.item(), rel=1e-12)
    (own,), (other,) = torch.autograd.grad(mine, activity), torch.autograd.grad(theirs, activity)
    torch.testing.assert_close(own, other)


def test_in_half_precision_units_that_never_rest_cost_as_much() -> None:
    expected = activity_divergence(torch.ones(4, 2), 0.05).item()
    assert activity_divergence(torch.ones(4, 2, dtype=torch.bfloat16), 0.05).item() == pytest.approx(expected)


def test_dead_units_cost_much_and_not_infinitely() -> None:
    assert 0 < activity_divergence(torch.zeros(2, 1), 0.05).item() < 1
