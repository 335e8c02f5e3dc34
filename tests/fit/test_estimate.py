"""Before the first step: how long it will take, and how often it will be saved. Measuring leaves no trace."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from rich.console import Console
from torch import Tensor, nn

from cnnexp.fit import estimate
from cnnexp.fit.checkpointing import Checkpointing
from cnnexp.fit.console import RunLog
from cnnexp.fit.data_module import DataModule
from cnnexp.fit.estimate import Estimate, Estimating, describe_bytes, describe_step, describe_time, few_batches, measure
from cnnexp.fit.module import TaskModule
from cnnexp.fit.stopping import StopSignal
from cnnexp.losses.term import Term
from cnnexp.tasks.classification import Classification
from cnnexp.training.learner import Learner
from tests.augmentation.made import engine
from tests.tasks import tiny
from tests.training.made import Halves, InTurn, Scaled


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
    return tiny.task(Classification, net, augmentation=engine(crop={"padding": 1}))


def test_nothing_is_different_afterwards() -> None:
    measured = task()
    module = TaskModule(measured, Learner(measured, tiny.recipe()))
    before = copy.deepcopy(module.state_dict())
    modes = [module.training for module in measured.net.modules()]
    random_state = torch.get_rng_state()
    batch = tiny.batch(8)
    given = {name: value.clone() for name, value in batch.items()}
    found = measure(measured, batch, 1000)
    assert found.step_s > 0 and found.evaluation_s > 0
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert [module.training for module in measured.net.modules()] == modes
    assert False in modes
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(batch[name], value) for name, value in given.items())
    module.read("train")
    assert module.results["train/loss"] == 0.0, "it is no part of the epoch"


def test_a_short_run_does_not_wait_for_its_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the run at most: at 0.1 s a step, 100 steps are timed for 0.5 s, and 20 for 0.1 s."""
    monkeypatch.setattr(estimate, "LONGEST_S", 5.0)
    calls: list[int] = []

    def timed(*_: Any, **__: Any) -> tuple[float, int]:
        calls.append(1)
        return 0.1, 0

    monkeypatch.setattr(estimate, "_train_step", timed)
    for steps, count in ((100, 6), (20, 2), (1, 2), (100_000, 52)):
        calls.clear()
        measure(task(), tiny.batch(8), steps)
        assert len(calls) == count, steps  # one to warm up, and 0.1 s each


def test_everything_is_put_back_when_the_net_fails() -> None:
    class Failing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("out of memory")

    measured = task()
    measured.net.append(Failing())  # type: ignore[operator]
    before = copy.deepcopy(measured.net.state_dict())
    random_state = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="out of memory"):
        measure(measured, tiny.batch(8), 1000)
    assert all(torch.equal(value, before[name]) for name, value in measured.net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)


def test_a_slow_net_takes_longer() -> None:
    class Slow(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            import time

            time.sleep(0.05)
            return x

    slow = tiny.task(Classification, nn.Sequential(Slow(), tiny.linear_net()))
    found = measure(slow, tiny.batch(4), 1000)
    assert 0.05 <= found.step_s < 0.5
    assert 0.05 <= found.evaluation_s < 0.5


def test_memory_is_what_lies_between_forward_and_backward_and_three_times_the_weights() -> None:
    """One layer keeps its input and nothing else that is large: 256 pictures of 64 numbers of 4 bytes."""
    measured = tiny.task(Classification, tiny.linear_net())
    weights = 4 * (64 * 3 + 3)
    inputs = 4 * 256 * 64
    found = measure(measured, tiny.batch(256), 1000).memory_bytes
    assert inputs + 3 * weights <= found <= inputs + 3 * weights + 0.3 * inputs


def test_auxiliary_heads_take_part_in_a_step_that_is_measured() -> None:
    """As in training: their backward pass takes time and memory too."""

    class WithHead(nn.Module):
        auxiliary_weight = 0.3

        def __init__(self) -> None:
            super().__init__()
            self.main, self.head = tiny.linear_net(), tiny.linear_net()

        def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
            return (self.main(x), self.head(x)) if self.training else self.main(x)

    net, sizes = WithHead(), []
    (weight, _) = net.head.parameters()
    weight.register_hook(lambda gradient: sizes.append(float(gradient.norm())))
    measure(tiny.task(Classification, net), tiny.batch(8), 1000)
    assert len(sizes) >= 2 and min(sizes) > 0


def test_every_turn_takes_part_in_a_step_that_is_measured() -> None:
    """The parts of a net learn one after another."""
    net, sizes = Halves(), {"first": 0, "second": 0}
    for name in sizes:
        weight = next(net.get_submodule(name).parameters())
        weight.register_hook(lambda gradient, name=name: sizes.__setitem__(name, sizes[name] + 1))
    measure(tiny.task(InTurn, net), tiny.batch(8), 1000)
    assert sizes["second"] >= 2 and sizes["first"] == 2 * sizes["second"], "what the second learns goes through both"


class Centred(Scaled):
    """A loss that learns, and that keeps an average of the net's answers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, answer: Any, truth: Mapping[str, Tensor], train: bool) -> Term:
        self.mean.lerp_(answer.detach().mean(0), 0.5)
        return super().forward(answer, truth, train)


def test_a_loss_with_weights_of_its_own_is_put_back_too() -> None:
    measured = tiny.task(Classification, tiny.linear_net(), loss=Centred())
    before = copy.deepcopy(measured.state_dict())
    measure(measured, tiny.batch(8), 1000)
    assert measured.loss is not None and set(measured.loss.state_dict()) == {"factor", "mean"}
    assert all(torch.equal(value, before[name]) for name, value in measured.state_dict().items())
    assert all(parameter.grad is None for parameter in measured.parameters())


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


def said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, max_steps: int | None = None, done: int = 0, **changes: Any
) -> tuple[str, Checkpointing, pl.Trainer]:
    """What is said before a run of ten epochs of three steps, with validations of two batches."""
    given: dict[str, Any] = dict(monitor=None, mode="max", every_steps=None, patience=None, min_delta=0.0)
    keeping = Checkpointing(folder, **(given | changes), max_steps=None, signal=StopSignal())
    keeping.step = done
    screen, data = io.StringIO(), tiny.picture_data(train=24, val=10)
    made = tiny.module(Classification, tiny.linear_net())
    made.steps_per_epoch = 3
    monkeypatch.setattr(
        estimate, "measure", lambda task, batch, steps: Estimate(len(batch["image"]) * 0.5, 1.0, 3_000_000)
    )
    log = RunLog(Console(file=screen, width=200))
    trainer = tiny.trainer([Estimating(log, data, keeping, 10, max_steps)], epochs=1)
    trainer.fit(made, datamodule=DataModule(data))
    return screen.getvalue().strip(), keeping, trainer


@pytest.mark.usefixtures("logging_kept")
def test_the_time_is_that_of_all_steps_and_validations(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 steps of 4 s and ten validations of two batches of 1 s: 140 s."""
    text, _, _ = said(run_folder, monkeypatch)
    assert text == "30 steps of 4.0 s: about 2 min; 3 MB of memory for the net and a batch"


@pytest.mark.usefixtures("logging_kept")
@pytest.mark.parametrize(
    ("max_steps", "done", "text"),
    [
        (6, 0, "6 steps of 4.0 s: about 32 s"),
        (6, 3, "3 steps of 4.0 s: about 18 s"),
        (None, 27, "3 steps of 4.0 s: about 14 s"),
    ],
)
def test_only_the_steps_that_are_left_are_counted(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, max_steps: int | None, done: int, text: str
) -> None:
    """With a validation of 2 s for each whole epoch, and 4 s for scoring on the two batches of each split at a stop."""
    found = said(run_folder, monkeypatch, max_steps, done)[0]
    assert found.startswith(text)
    assert found.endswith("scored on 2 batches of each of validation and test") == (max_steps is not None)


@pytest.mark.usefixtures("logging_kept")
def test_a_save_comes_about_every_minute_unless_a_number_is_given(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(run_folder, monkeypatch)[1].every_steps == 60 / 4
    assert said(run_folder, monkeypatch, every_steps=7)[1].every_steps == 7


@pytest.mark.usefixtures("logging_kept")
def test_it_takes_no_part_in_the_fit_after_that(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = said(run_folder, monkeypatch)[2]
    assert not any(isinstance(callback, Estimating) for callback in trainer.callbacks)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("step_s", "evaluation_s", "steps", "batches"),
    [(10.0, 4.0, 1, 1), (10.0, 30.0, 1, 1), (10.0, 4.0, 2, 2), (1.0, 0.5, 3, 3), (0.1, 0.01, 50, 4), (0.1, 0.0, 0, 1)],
)
def test_what_a_trial_is_scored_on_takes_about_as_long_as_its_steps(
    step_s: float, evaluation_s: float, steps: int, batches: int
) -> None:
    """Of validation and of test so many each: by hand, the steps' time over that of one batch of both."""
    assert few_batches(Estimate(step_s, evaluation_s, 0), steps) == batches
