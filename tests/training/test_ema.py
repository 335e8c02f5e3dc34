"""The average of weights, by hand."""

from __future__ import annotations

import copy

import torch
from torch import nn

from cnnexp.training.ema import WeightAverage


def test_the_average_by_hand() -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(1.0)
    average = WeightAverage(model, decay=0.5)
    expected = 1.0
    for step, value in enumerate((3.0, -2.0, 5.0, 5.0, 0.0, 1.0, 7.0, 2.0, 2.0, 4.0)):
        with torch.no_grad():
            model.weight.fill_(value)
        average.update(model)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        assert abs(average.averaged.weight.item() - expected) < 1e-5
    assert int(average.steps) == 10
    assert model.weight.item() == 4.0


def test_running_statistics_are_averaged_and_counters_copied() -> None:
    model = nn.BatchNorm1d(2)
    average = WeightAverage(model, decay=0.9)
    model.train()(torch.randn(8, 2) + 5)
    average.update(model)
    torch.testing.assert_close(average.averaged.running_mean, 0.9 * model.running_mean)
    assert int(average.averaged.num_batches_tracked) == 1


def test_a_swap_and_another_one_change_nothing() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    average = WeightAverage(model, decay=0.9)
    with torch.no_grad():
        model[0].weight.add_(1.0)
    before, averaged = copy.deepcopy(model.state_dict()), copy.deepcopy(average.averaged.state_dict())
    average.swap(model)
    assert torch.equal(model[0].weight, averaged["0.weight"])
    assert torch.equal(average.averaged[0].weight, before["0.weight"])
    average.swap(model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_first_weights_are_not_those_of_the_net_any_more_when_it_learns() -> None:
    model = nn.Linear(2, 2)
    average = WeightAverage(model, decay=0.9)
    first = average.averaged.weight.clone()
    with torch.no_grad():
        model.weight.zero_()
    assert torch.equal(average.averaged.weight, first)
