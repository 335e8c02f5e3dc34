"""The learning rate of every step of a run that has not begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnexp.builders.binding import bind_run
from cnnexp.builders.datasets import prepared_data
from cnnexp.errors import InputError
from cnnexp.training.schedules import Moment


@dataclass(frozen=True)
class Course:
    """The rate of each step, and whether a metric that is not known yet may lower it."""

    rates: list[float]
    waits: bool


def learning_rates(config: Mapping[str, Any], steps_per_epoch: int, trusted: Sequence[str] = ()) -> Course:
    """optimizer.lr times the schedule's factor, for each step of the run.

    A schedule that follows a metric (plateau) is shown as it goes while the metric improves.
    """
    schedule = bind_run(config, trusted).schedule()
    total = config["epochs"] * steps_per_epoch
    moments = (Moment(step, total, step // steps_per_epoch) for step in range(total))
    rates = [config["optimizer"]["lr"] * schedule.factor(moment) for moment in moments]
    return Course(rates, waits=bool(schedule.state_dict()))


def steps_of(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> int:
    """Training batches in an epoch, by the data itself.

    Raises:
        InputError: the data cannot be had, or leaves not one batch.
    """
    data = prepared_data(config, trusted)
    steps = data.steps_per_epoch()
    if steps == 0:
        raise InputError(f"data={config['choices']['data']}: the train split holds no {data.facts.input.noun}")
    return steps
