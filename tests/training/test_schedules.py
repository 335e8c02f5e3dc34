"""Schedules step by step against torch's own, with the same meaning of every number."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
from torch.optim import lr_scheduler

from cnnexp.training.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    Moment,
    MultiStep,
    OneCycle,
    Plateau,
    Schedule,
    Step,
    WarmUp,
)

LR = 0.3


def optimizer() -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)


def ours(schedule: Schedule, epochs: int, steps_per_epoch: int) -> list[float]:
    """The rate of every step of a run."""
    total = epochs * steps_per_epoch
    return [LR * schedule.factor(Moment(step, total, step // steps_per_epoch)) for step in range(total)]


def torchs(
    make: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler],
    epochs: int,
    steps_per_epoch: int,
    per_epoch: bool,
) -> list[float]:
    """The rate of every step, with torch's schedule stepped after every batch or every epoch."""
    optimizing = optimizer()
    schedule = make(optimizing)
    rates = []
    for step in range(epochs * steps_per_epoch):
        rates.append(optimizing.param_groups[0]["lr"])
        optimizing.step()
        last = step + 1 == epochs * steps_per_epoch
        if not last and (not per_epoch or (step + 1) % steps_per_epoch == 0):
            schedule.step()
    return rates


# torch divides by zero where its first phase is empty: rise * epochs * steps must be above 1
@pytest.mark.parametrize(
    ("epochs", "steps", "rise"), [(3, 7, 0.3), (1, 10, 0.5), (5, 40, 0.3), (5, 40, 0.9), (2, 1, 0.9)]
)
def test_one_cycle(epochs: int, steps: int, rise: float) -> None:
    total = epochs * steps
    schedule = OneCycle(rise=rise, start=1 / 25, final=1e-4)
    reference = torchs(
        lambda optimizing: lr_scheduler.OneCycleLR(
            optimizing,
            max_lr=LR,
            total_steps=total,
            pct_start=rise,
            div_factor=25,
            final_div_factor=400,  # 1 / 25 / 400 is the end's 1e-4
            cycle_momentum=False,
        ),
        epochs,
        steps,
        per_epoch=False,
    )
    assert ours(schedule, epochs, steps) == pytest.approx(reference, rel=1e-9)
    assert ours(schedule, epochs, steps)[-1] == pytest.approx(LR * 1e-4)


@pytest.mark.parametrize("total", [1, 2, 3])
@pytest.mark.parametrize("rise", [0.01, 0.3, 0.99])
def test_one_cycle_of_very_few_steps_stays_within_its_bounds(total: int, rise: float) -> None:
    rates = ours(OneCycle(rise=rise, start=0.04, final=0.0001), 1, total)
    assert all(LR * 0.0001 * 0.999 <= rate <= LR * 1.001 for rate in rates)


@pytest.mark.parametrize(("epochs", "steps"), [(3, 7), (1, 10), (5, 40)])
@pytest.mark.parametrize("final", [0.0, 0.1])
def test_cosine(epochs: int, steps: int, final: float) -> None:
    reference = torchs(
        lambda optimizing: lr_scheduler.CosineAnnealingLR(optimizing, T_max=epochs * steps, eta_min=final * LR),
        epochs,
        steps,
        per_epoch=False,
    )
    assert ours(Cosine(final=final), epochs, steps) == pytest.approx(reference, rel=1e-9)


def test_step() -> None:
    reference = torchs(lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.4), 11, 4, per_epoch=True)
    assert ours(Step(every_epochs=3, gamma=0.4), 11, 4) == pytest.approx(reference, rel=1e-9)
    assert len(set(reference)) == 4


def test_exponential() -> None:
    reference = torchs(lambda o: lr_scheduler.ExponentialLR(o, gamma=0.8), 9, 4, per_epoch=True)
    assert ours(Exponential(gamma=0.8), 9, 4) == pytest.approx(reference, rel=1e-9)
    assert len(set(reference)) == 9


def test_constant() -> None:
    assert set(ours(Constant(), 3, 4)) == {LR}


@pytest.mark.parametrize("better_is", ["max", "min"])
@pytest.mark.parametrize("patience", [0, 1, 4])
@pytest.mark.parametrize("min_delta", [0.0, 0.025])
@pytest.mark.parametrize("minimum", [0.0, 0.02])
def test_plateau(better_is: str, patience: int, min_delta: float, minimum: float) -> None:
    values = random.Random(f"{better_is}{patience}{min_delta}").choices([i / 100 for i in range(30)], k=80)
    optimizing = optimizer()
    reference = lr_scheduler.ReduceLROnPlateau(
        optimizing,
        mode=better_is,  # type: ignore[arg-type]
        factor=0.5,
        patience=patience,
        threshold=min_delta,
        threshold_mode="abs",
        min_lr=minimum * LR,
        eps=0.0,
    )
    plateau = Plateau(factor=0.5, patience=patience, min_delta=min_delta, minimum=minimum)
    rates, expected = [], []
    for epoch, value in enumerate(values):
        reference.step(value)
        plateau.observe(value, better_is)
        expected.append(optimizing.param_groups[0]["lr"])
        rates.append(LR * plateau.factor(Moment(epoch, len(values), epoch)))
    assert rates == pytest.approx(expected, rel=1e-9)
    assert len(set(rates)) > 2


@pytest.mark.parametrize("observed", [0, 1, 17])
def test_plateau_goes_on_from_its_state(observed: int) -> None:
    values = [random.Random(1).random() for _ in range(40)]

    def fresh() -> Plateau:
        return Plateau(factor=0.5, patience=2, min_delta=0.01, minimum=0.0)

    whole, first, second = fresh(), fresh(), fresh()
    for value in values[:observed]:
        whole.observe(value, "max")
        first.observe(value, "max")
    second.load_state_dict(first.state_dict())
    for epoch, value in enumerate(values[observed:]):
        whole.observe(value, "max")
        second.observe(value, "max")
        moment = Moment(epoch, 40, epoch)
        assert second.factor(moment) == whole.factor(moment)
    assert second.state_dict() == whole.state_dict()


def test_plateau_recovers_from_a_first_value_that_is_no_number() -> None:
    """As in torch: any number is better than NaN."""
    plateau = Plateau(factor=0.5, patience=1, min_delta=0.0, minimum=0.0)
    for value in (float("nan"), 0.1, 0.2, 0.3, 0.4):
        plateau.observe(value, "max")
    assert plateau.factor(Moment(0, 1, 0)) == 1.0


@pytest.mark.parametrize("schedule", [Constant(), Cosine(final=0.0), Step(every_epochs=1, gamma=0.1)])
def test_a_function_of_the_step_has_no_state(schedule: Schedule) -> None:
    before = schedule.factor(Moment(3, 10, 1))
    schedule.observe(0.5, "max")
    assert schedule.state_dict() == {}
    schedule.load_state_dict({})
    assert schedule.factor(Moment(3, 10, 1)) == before


def test_multistep() -> None:
    reference = torchs(lambda o: lr_scheduler.MultiStepLR(o, milestones=[2, 5], gamma=0.3), 7, 4, per_epoch=True)
    assert ours(MultiStep(milestones=[5, 2], gamma=0.3), 7, 4) == pytest.approx(reference)


def test_inverse_time_is_keras_rule() -> None:
    rates = ours(InverseTime(decay=0.5), 2, 3)
    assert rates == pytest.approx([LR / (1 + 0.5 * updates) for updates in range(6)])


def test_warm_up_is_a_line_in_front_of_any_schedule() -> None:
    rates = ours(WarmUp(Constant(), part=0.4), 5, 2)
    assert rates == pytest.approx([LR * one for one in (0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1)])
    cosine = Cosine(final=0.0)
    warmed, plain = ours(WarmUp(cosine, part=0.4), 5, 2), ours(cosine, 5, 2)
    assert warmed[4:] == plain[4:] and warmed[1] == pytest.approx(plain[1] / 2)


def test_warm_up_of_no_epochs_changes_nothing() -> None:
    assert ours(WarmUp(Cosine(final=0.1), part=0.0), 3, 5) == ours(Cosine(final=0.1), 3, 5)


def test_warm_up_keeps_what_a_plateau_has_learnt() -> None:
    plateau = WarmUp(Plateau(factor=0.5, patience=0, min_delta=0.0, minimum=0.0), part=0.0)
    for value in (1.0, 1.0):
        plateau.observe(value, "max")
    other = WarmUp(Plateau(factor=0.5, patience=0, min_delta=0.0, minimum=0.0), part=0.0)
    other.load_state_dict(plateau.state_dict())
    assert other.factor(Moment(3, 10, 1)) == 0.5


@pytest.mark.parametrize(
    ("schedule", "epochs", "reason"),
    [
        (Step(every_epochs=10, gamma=0.1), 10, "never change"),
        (Step(every_epochs=10, gamma=0.1), 11, None),
        (MultiStep(milestones=[3, 8], gamma=0.1), 8, "8 is not reached in 8 epochs"),
        (MultiStep(milestones=[3, 8], gamma=0.1), 9, None),
        (WarmUp(Step(every_epochs=9, gamma=0.1), 0.1), 3, "never change"),
        (Cosine(final=0.0), 1, None),
    ],
)
def test_a_schedule_longer_than_the_run_says_so(schedule: Schedule, epochs: int, reason: str | None) -> None:
    found = schedule.longer_than(epochs)
    assert found is None if reason is None else found is not None and reason in found
