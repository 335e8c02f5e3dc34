"""Measuring leaves no trace, and durations and sizes are said as people say them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from cnnexp.fit import estimate
from cnnexp.fit.estimate import describe_bytes, describe_step, describe_time, measure
from cnnexp.tasks.classification import Classification
from tests.augmentation.made import engine
from tests.tasks import tiny


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps are enough here."""
    monkeypatch.setattr(estimate, "LONGEST_S", 0.2)


def task() -> Classification:
    """With batch statistics, dropout, and a layer that stands still."""
    torch.manual_seed(0)
    frozen = nn.BatchNorm2d(2).eval()
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), frozen, nn.Dropout(0.5), nn.Flatten(), nn.Linear(2 * 36, 3)
    )
    return Classification(tiny.parts(net, augmentation=engine(crop={"padding": 1})))


def test_nothing_is_different_afterwards() -> None:
    measured = task()
    before = copy.deepcopy(measured.state_dict())
    modes = [module.training for module in measured.net.modules()]
    random_state = torch.get_rng_state()
    batch = tiny.batch(8)
    given = {name: value.clone() for name, value in batch.items()}
    found = measure(measured, batch)
    assert found.step_s > 0 and found.evaluation_s > 0
    assert all(torch.equal(value, before[name]) for name, value in measured.state_dict().items())
    assert all(parameter.grad is None for parameter in measured.parameters())
    assert [module.training for module in measured.net.modules()] == modes
    assert False in modes
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(batch[name], value) for name, value in given.items())
    measured.read("train")
    assert measured.results["train/loss"] == 0.0, "it is no part of the epoch"


def test_everything_is_put_back_when_the_net_fails() -> None:
    class Failing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("out of memory")

    measured = task()
    measured.net.append(Failing())  # type: ignore[operator]
    before = copy.deepcopy(measured.net.state_dict())
    random_state = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="out of memory"):
        measure(measured, tiny.batch(8))
    assert all(torch.equal(value, before[name]) for name, value in measured.net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)


def test_a_slow_net_takes_longer() -> None:
    class Slow(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            import time

            time.sleep(0.05)
            return x

    slow = Classification(tiny.parts(nn.Sequential(Slow(), tiny.linear_net())))
    found = measure(slow, tiny.batch(4))
    assert 0.05 <= found.step_s < 0.5
    assert 0.05 <= found.evaluation_s < 0.5


def test_memory_is_what_lies_between_forward_and_backward_and_three_times_the_weights() -> None:
    """One layer keeps its input and nothing else that is large: 256 pictures of 64 numbers of 4 bytes."""
    measured = Classification(tiny.parts(tiny.linear_net()))
    weights = 4 * (64 * 3 + 3)
    inputs = 4 * 256 * 64
    found = measure(measured, tiny.batch(256)).memory_bytes
    assert inputs + 3 * weights <= found <= inputs + 3 * weights + 0.3 * inputs


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1 s"),
        (40.2, "40 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (720, "12 min"),
        (12_000, "3 h 20 min"),
        (5400, "1 h 30 min"),
        (36_120, "10 h 02 min"),
    ],
)
def test_a_duration(seconds: float, text: str) -> None:
    assert describe_time(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.00351, "3.5 ms"), (0.12, "120 ms"), (2.36, "2.4 s")])
def test_a_step(seconds: float, text: str) -> None:
    assert describe_step(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "1 MB"), (5.4e6, "5 MB"), (2.25e9, "2.2 GB"), (12e9, "12.0 GB")])
def test_a_size(count: float, text: str) -> None:
    assert describe_bytes(count) == text
