"""The parts of a step that depend on precision, on processes, and on how a batch is cut."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as distributed
from torch import Tensor, nn

from cnnexp.training.stepping import cut, make_step, share_of, unscale


class Engine:
    def __init__(self, world_size: int = 1, scaler: Any = None) -> None:
        self.world_size, self.scaler = world_size, scaler


def scaled(scale: float) -> tuple[Any, Any, nn.Parameter]:
    """An engine of fp16 on the processor, plain SGD with rate 1, and a weight of 1."""
    weight = nn.Parameter(torch.ones(()))
    scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=1000)
    return Engine(scaler=scaler), torch.optim.SGD([weight], lr=1.0), weight


# --- precision --------------------------------------------------------------------------------------------------------


def test_without_a_scaler_a_step_is_the_optimizers() -> None:
    weight = nn.Parameter(torch.ones(()))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    (0.25 * weight).backward()
    engine: Any = Engine()
    unscale(engine, optimizer)
    make_step(engine, optimizer)
    assert float(weight.detach()) == 0.75


@pytest.mark.parametrize("looked_at", [True, False])
def test_scaled_gradients_make_the_same_step(looked_at: bool) -> None:
    engine, optimizer, weight = scaled(1024.0)
    engine.scaler.scale(0.25 * weight).backward()
    assert weight.grad is not None and float(weight.grad) == 256
    if looked_at:
        unscale(engine, optimizer)
        assert float(weight.grad) == 0.25, "the true gradient"
    make_step(engine, optimizer)
    assert float(weight.detach()) == 0.75 and engine.scaler.get_scale() == 1024


def test_an_overflow_makes_no_step_and_a_smaller_scale() -> None:
    engine, optimizer, weight = scaled(1024.0)
    engine.scaler.scale(weight * 0.25).backward()
    assert weight.grad is not None
    weight.grad.fill_(float("inf"))
    make_step(engine, optimizer)
    assert float(weight.detach()) == 1.0 and engine.scaler.get_scale() == 512


# --- a batch in parts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "parts", "sizes"), [(8, 4, [2] * 4), (7, 3, [3, 3, 1]), (2, 4, [1, 1]), (5, 1, [5])])
def test_a_batch_is_cut_in_order_and_no_part_is_empty(count: int, parts: int, sizes: list[int]) -> None:
    batch = {"image": torch.arange(count * 6.0).view(count, 6), "label": torch.arange(count)}
    found = cut(batch, parts)
    assert [len(one["label"]) for one in found] == [len(one["image"]) for one in found] == sizes
    for name, value in batch.items():
        assert torch.equal(torch.cat([one[name] for one in found]), value)


# --- processes --------------------------------------------------------------------------------------------------------


def summing(monkeypatch: pytest.MonkeyPatch, others: float) -> None:
    monkeypatch.setattr(distributed, "all_reduce", lambda total: total.add_(others))


def test_equal_counts_need_no_share_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "all_reduce", lambda total: pytest.fail("a process was asked"))
    several: Any = Engine(4)
    alone: Any = Engine(1)
    assert share_of(8, several) is None
    assert share_of(torch.tensor(8), alone) is None


@pytest.mark.parametrize(("count", "others", "share"), [(6, 2, 2 * 6 / 8), (3, 3, 1.0), (0, 4, 2 * 1 / 4), (0, 0, 2.0)])
def test_the_mean_of_the_processes_is_that_of_the_global_batch(
    count: int, others: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss over no items was divided by 1: its sum is weighed so, and is 0 anyway."""
    summing(monkeypatch, others)
    engine: Any = Engine(2)
    counted = torch.tensor(count)
    found = share_of(counted, engine)
    assert isinstance(found, Tensor) and float(found) == pytest.approx(share)
    assert counted.item() == count, "the count itself is not summed"


def test_shares_make_the_global_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    sums, counts = (12.0, 10.0), (6, 2)
    engine: Any = Engine(2)
    total = 0.0
    for place in (0, 1):
        summing(monkeypatch, counts[1 - place])
        share = share_of(torch.tensor(counts[place]), engine)
        assert share is not None
        total += float(share) * sums[place] / counts[place] / 2
    assert total == pytest.approx(22 / 8)
