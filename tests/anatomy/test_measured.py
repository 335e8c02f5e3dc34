"""How long a net is measured, what counts as its fullest moment, and when it is not begun at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnexp.anatomy import measured
from cnnexp.anatomy.subject import Subject
from cnnexp.errors import InputError

CPU = torch.device("cpu")


def subject(net: nn.Module, batch_size: int = 4) -> Subject:
    def example(count: int, device: torch.device | str) -> tuple[Tensor, ...]:
        return (torch.rand(count, 100, device=device),)

    sgd = partial(torch.optim.SGD, lr=0.1)
    return Subject("mine", net.to("meta"), (100,), "L", example, batch_size, sgd, lambda: net, lambda: None)


def times_of(monkeypatch: pytest.MonkeyPatch, step_s: float, longest_s: float) -> list[float]:
    """The times of steps that take so long, by a clock that goes on with them."""
    now = [100.0]

    class Timed(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            now[0] += step_s
            return super().forward(x)

    monkeypatch.setattr(measured, "LONGEST_S", longest_s)
    monkeypatch.setattr(measured, "time", type("Time", (), {"perf_counter": lambda: now[0]}))
    net = Timed(100, 10)
    return measured._times(net, [torch.rand(4, 100)], torch.optim.SGD(net.parameters(), lr=0.1))


def test_a_quick_step_is_repeated_until_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert times_of(monkeypatch, 0.25, 4.0) == [0.25] * 16


def test_of_a_slow_one_a_few_are_made_but_no_more_than_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert times_of(monkeypatch, 4.0, 4.0) == [4.0] * measured.FEWEST_STEPS
    assert times_of(monkeypatch, 7.0, 4.0) == [7.0] * 2
    assert times_of(monkeypatch, 60.0, 4.0) == [60.0]


@pytest.mark.parametrize(
    ("optimizer", "numbers"),
    [(partial(torch.optim.SGD, lr=0.1), 2), (partial(torch.optim.SGD, lr=0.1, momentum=0.9), 3)],
)
def test_the_fullest_moment_holds_weights_gradients_and_what_the_optimizer_keeps(
    optimizer: Callable[[Any], torch.optim.Optimizer], numbers: int
) -> None:
    net = nn.Linear(1000, 500, bias=False)
    made, batch = optimizer(net.parameters()), [torch.rand(2, 1000)]
    measured._step(net, batch, made)
    peak = measured._peak_of_step(net, batch, made)
    assert numbers * 2_000_000 <= peak < numbers * 2_000_000 + 100_000


def test_a_step_begins_without_the_last_one_s_gradients() -> None:
    net = nn.Linear(100, 1, bias=False)
    optimizer, x = torch.optim.SGD(net.parameters(), lr=0.0), torch.rand(4, 100)
    for _ in range(3):
        measured._step(net, [x], optimizer)
    assert net.weight.grad is not None and torch.allclose(net.weight.grad[0], x.sum(0))


@pytest.mark.parametrize(("needed", "free"), [(None, 10), (90, 100), (10**12, None)])
def test_what_fits_or_cannot_be_known_is_measured(
    needed: int | None, free: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "_free_bytes", lambda device: free)
    measured._refuse_too_much(subject(nn.Linear(100, 1)), needed, CPU)


def test_a_tenth_is_left_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "_free_bytes", lambda device: 2_000_000_000)
    with pytest.raises(InputError) as refused:
        measured._refuse_too_much(subject(nn.Linear(100, 1), 32), 1_900_000_000, CPU)
    assert str(refused.value) == (
        "--measure: a step of model=mine with batch_size=32 takes about 1.9 GB, and 2.0 GB are free; give a smaller "
        "batch_size or --input"
    )
