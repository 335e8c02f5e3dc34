"""What is timed and what is not, with a clock and steps made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnexp.bench import timing
from cnnexp.bench.cells import Cell, Rate
from cnnexp.bench.timing import EpochClock, Training, optimizer_of, timed_steps

CPU = torch.device("cpu")
SGD = {"_target_": "torch.optim.SGD", "lr": 0.1, "momentum": 0.9}


class Time:
    """A clock that goes on by what a step is said to take."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *durations: float) -> None:
        self.now, self.steps, self.durations = 100.0, 0, durations
        monkeypatch.setattr(timing, "time", type("Time", (), {"perf_counter": lambda: self.now}))

    def step(self) -> None:
        self.now += self.durations[min(self.steps, len(self.durations) - 1)]
        self.steps += 1


def measured(monkeypatch: pytest.MonkeyPatch, seconds: float, *durations: float) -> tuple[Rate, int]:
    """The rate, and how many steps were made before it was measured."""
    clock = Time(monkeypatch, *durations)
    rate = timed_steps(clock.step, 32, Cell("bare", (), seconds=seconds), CPU)
    return rate, clock.steps - rate.steps


def test_the_first_steps_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    rate, warm = measured(monkeypatch, 1.0, 0.4, 0.4, 0.3, 0.01)
    assert warm == 3, "a second and a bit"
    assert (rate.steps, rate.images) == (100, 3200)
    assert rate.seconds == pytest.approx(1.0) and rate.step_us == pytest.approx(10_000)


def test_quick_steps_warm_up_twenty_times_and_slow_ones_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measured(monkeypatch, 0.5, 0.001)[1] == 20
    rate, warm = measured(monkeypatch, 0.5, 60.0)
    assert (warm, rate.steps, rate.seconds) == (2, 3, 180.0), "three of them at least"


def test_a_clock_that_was_not_warm_has_measured_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch, 5.0)
    clock = EpochClock(1.0, CPU)
    assert not clock.done
    for done, steps in ((False, 0), (True, 7)):
        clock.start()
        time.step()
        clock.stop(7, 70)
        assert (clock.done, clock.steps) == (done, steps)
    assert clock.rate() == Rate(70, 7, 5.0)


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3))


def config(optimizer: dict[str, Any] = SGD, precision: str = "fp32", channels_last: bool = False) -> dict[str, Any]:
    hardware = {"accelerator": "cpu", "precision": precision, "channels_last": channels_last}
    return {"hardware": hardware, "optimizer": optimizer}


@pytest.mark.parametrize(
    ("given", "kind", "defaults"),
    [
        ({**SGD, "no_decay": ["bias"], "per_stage": 0.5}, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
        ({"_target_": "torch.optim.AdamW", "lr": 0.01, "betas": [0.8, 0.9]}, torch.optim.AdamW, {"betas": (0.8, 0.9)}),
        ({"_target_": "cnnexp.training.optimizers.Adam", "lr": 0.02}, torch.optim.Adam, {"lr": 0.02}),
    ],
)
def test_an_optimizer_of_torch_is_given_what_it_knows(
    given: dict[str, Any], kind: Callable[..., Any], defaults: dict[str, Any]
) -> None:
    optimizer = optimizer_of(config(given), net())
    assert type(optimizer) is kind
    assert {name: optimizer.defaults[name] for name in defaults} == defaults
    assert [len(group["params"]) for group in optimizer.param_groups] == [2], "all weights alike"


def test_steps_are_those_of_a_loop_written_out() -> None:
    image, label = torch.rand(5, 3, 2, 2), torch.tensor([0, 1, 2, 0, 1])
    training, other = Training(net(), config()), net().train()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        loss, logits = training.step(image, label)
        optimizer.zero_grad()
        expected = functional.cross_entropy(other(image), label)
        expected.backward()
        optimizer.step()
        assert float(loss) == pytest.approx(float(expected.detach())) and not logits.requires_grad
    for one, two in zip(training.net.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_half_precision_is_of_the_net_alone() -> None:
    seen = []
    training = Training(net(), config(precision="bf16"))
    training.net.register_forward_hook(lambda *given: seen.append(given[2].dtype))
    training.step(torch.rand(5, 3, 2, 2), torch.zeros(5, dtype=torch.int64))
    assert seen == [torch.bfloat16] and {one.dtype for one in training.net.parameters()} == {torch.float32}


@pytest.mark.parametrize("last", [True, False])
def test_pictures_are_in_the_memory_format_of_the_net(last: bool) -> None:
    image = Training(net(), config(channels_last=last)).picture(torch.rand(2, 3, 4, 5))
    assert image.is_contiguous(memory_format=torch.channels_last) == last


def test_a_net_is_trained_and_not_evaluated() -> None:
    assert Training(net().eval(), config()).net.training
