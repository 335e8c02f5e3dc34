"""Which parameters decay, and each stage's learning rate."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from cnnexp.errors import InputError
from cnnexp.models.resnet_cifar import CifarResNet
from cnnexp.models.stages import stages_of
from cnnexp.tasks.classification import Classification
from cnnexp.training.parameter_groups import parameter_groups, stage_rates
from tests.tasks import tiny


def net() -> CifarResNet:
    return CifarResNet(in_channels=1, num_classes=3, depth=8)


def test_biases_and_norms_do_not_decay_unless_asked() -> None:
    model = net()
    decaying, others = parameter_groups(model)
    assert "weight_decay" not in decaying and others["weight_decay"] == 0.0
    assert {weight.ndim for weight in decaying["params"]} == {2, 4}
    assert {weight.ndim for weight in others["params"]} == {1}
    assert len(decaying["params"]) + len(others["params"]) == len(list(model.parameters()))
    (everything,) = parameter_groups(model, everything=True)
    assert len(everything["params"]) == len(list(model.parameters()))


def test_weights_without_a_gradient_still_decay_and_biases_do_not() -> None:
    """SGD with weight_decay d multiplies a weight by 1 - lr * d when its gradient is 0."""
    model = nn.Linear(4, 3)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = torch.optim.SGD(parameter_groups(model), lr=0.1, weight_decay=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    torch.testing.assert_close(model.weight.detach(), before[0] * (1 - 0.1 * 0.5))
    assert torch.equal(model.bias.detach(), before[1])


def test_one_number_is_multiplied_from_stage_to_stage_towards_the_input() -> None:
    stages = stages_of(net())
    assert stage_rates(stages, 0.5) == [0.5 ** (len(stages) - 1 - place) for place in range(len(stages))]


def test_each_stage_learns_at_its_rate() -> None:
    model = net()
    stages = stages_of(model)
    rates = [0.1 * (place + 1) for place in range(len(stages))]
    made = tiny.module(Classification, model, optimizer=partial(torch.optim.SGD, lr=0.5), stage_rates=rates)
    (optimizer,) = made.configure_optimizers()
    of = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    for stage, rate in zip(stages, rates, strict=True):
        assert {of[id(weight)] for _, weight in stage.parameters(model)} == {0.5 * rate}


def test_another_number_of_rates_is_refused_with_the_names_of_the_stages() -> None:
    with pytest.raises(InputError, match=r"optimizer\.stage_rates=\[0\.1, 1\.0\]: expected \d factors.*layer2.*linear"):
        parameter_groups(net(), rates=[0.1, 1.0])
