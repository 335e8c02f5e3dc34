"""Learning-rate schedules: the factor on ``optimizer.lr`` as a function of how far the run is.

All but ``Plateau`` are functions of the step alone and keep no state, so a resumed run has the same rates.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """How far a run is.

    Attributes:
        step: optimizer steps made before this one, from 0. total_steps: of the whole run.
        epoch: from 0.
    """

    step: int
    total_steps: int
    epoch: int


class Schedule(ABC):
    """The learning rate over a run."""

    @abstractmethod
    def factor(self, moment: Moment) -> float:
        """What ``optimizer.lr`` is multiplied by for the coming step."""

    def observe(self, value: float, better_is: str) -> None:
        """Take the monitored metric at an epoch's end; ``better_is`` is ``max`` or ``min``. Most do not care."""
        return None

    def state_dict(self) -> dict[str, float]:
        """What ``observe`` has learnt."""
        return {}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Go on from a state."""
        return None

    def longer_than(self, epochs: int) -> str | None:
        """What of the schedule a run of so many epochs never comes to, as the key and the reason; None for nothing."""
        return None


class WarmUp(Schedule):
    """Another schedule, times a line from nearly 0 up to 1 over the first steps: (step + 1) / steps.

    Source: Goyal et al. 2017, "Accurate, large minibatch SGD", section 2.2 (gradual warm-up).

    Args:
        schedule: the other one. part: of the run's steps, in [0, 1).
    """

    def __init__(self, schedule: Schedule, part: float) -> None:
        self.schedule = schedule
        self.part = part

    def factor(self, moment: Moment) -> float:
        steps = self.part * moment.total_steps
        return min(1.0, (moment.step + 1) / steps if steps else 1.0) * self.schedule.factor(moment)

    def observe(self, value: float, better_is: str) -> None:
        self.schedule.observe(value, better_is)

    def state_dict(self) -> dict[str, float]:
        return self.schedule.state_dict()

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.schedule.load_state_dict(state)

    def longer_than(self, epochs: int) -> str | None:
        return self.schedule.longer_than(epochs)


class Constant(Schedule):
    """The rate stays as it is."""

    def factor(self, moment: Moment) -> float:
        return 1.0


class Step(Schedule):
    """gamma ** floor(epoch / every_epochs)."""

    def __init__(self, *, every_epochs: int, gamma: float) -> None:
        self.every_epochs = every_epochs
        self.gamma = gamma

    def factor(self, moment: Moment) -> float:
        return float(self.gamma ** (moment.epoch // self.every_epochs))

    def longer_than(self, epochs: int) -> str | None:
        if self.every_epochs < epochs:
            return None
        return f"every_epochs={self.every_epochs}: in {epochs} epochs the rate would never change"


class MultiStep(Schedule):
    """gamma ** (number of milestones reached), in epochs from 0."""

    def __init__(self, *, milestones: Sequence[int], gamma: float) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma

    def factor(self, moment: Moment) -> float:
        return float(self.gamma ** bisect_right(self.milestones, moment.epoch))

    def longer_than(self, epochs: int) -> str | None:
        late = [milestone for milestone in self.milestones if milestone >= epochs]
        if not late:
            return None
        named = ",".join(str(milestone) for milestone in self.milestones)
        return f"milestones=[{named}]: {late[0]} is not reached in {epochs} epochs"


class Exponential(Schedule):
    """gamma ** epoch."""

    def __init__(self, *, gamma: float) -> None:
        self.gamma = gamma

    def factor(self, moment: Moment) -> float:
        return float(self.gamma**moment.epoch)


class InverseTime(Schedule):
    """1 / (1 + decay * step): the rate of Keras' optimizers with ``decay``, where a step is one update."""

    def __init__(self, *, decay: float) -> None:
        self.decay = decay

    def factor(self, moment: Moment) -> float:
        return 1.0 / (1.0 + self.decay * moment.step)


class Cosine(Schedule):
    """final + (1 - final) * (1 + cos(pi * step / total_steps)) / 2.

    Source: Loshchilov and Hutter 2016, "SGDR", equation 5, one cycle without restarts, stepped every batch.
    """

    def __init__(self, *, final: float) -> None:
        self.final = final

    def factor(self, moment: Moment) -> float:
        return between(1.0, self.final, min(1.0, moment.step / moment.total_steps))


class OneCycle(Schedule):
    """From ``start`` up to 1 in the first part ``rise`` of the run, then down to ``final``, both along cosines.

    Source: Smith 2017, "Super-convergence"; the shape is the one of torch's OneCycleLR with two phases, its momentum
    is not cycled. The peak is at step rise * total_steps - 1, the end at the last step.
    """

    def __init__(self, *, rise: float, start: float, final: float) -> None:
        self.rise = rise
        self.start = start
        self.final = final

    def factor(self, moment: Moment) -> float:
        last = max(1.0, moment.total_steps - 1.0)
        peak = min(max(self.rise * moment.total_steps - 1.0, 1e-9), last - 1e-9)
        if moment.step <= peak:
            return between(self.start, 1.0, moment.step / peak)
        return between(1.0, self.final, min(1.0, (moment.step - peak) / (last - peak)))


class Plateau(Schedule):
    """Times ``factor`` whenever the monitored metric has not improved by ``min_delta`` for ``patience`` epochs."""

    def __init__(self, *, factor: float, patience: int, min_delta: float, minimum: float) -> None:
        self._reduce = factor
        self.patience = patience
        self.min_delta = min_delta
        self.minimum = minimum
        self._now = 1.0
        self._best: float | None = None
        self._waited = 0

    def factor(self, moment: Moment) -> float:
        return self._now

    def observe(self, value: float, better_is: str) -> None:
        sign = 1.0 if better_is == "max" else -1.0
        if self._best is None or math.isnan(self._best) or sign * (value - self._best) > self.min_delta:
            self._best, self._waited = value, 0
            return
        self._waited += 1
        if self._waited > self.patience:
            self._now, self._waited = max(self._now * self._reduce, self.minimum), 0

    def state_dict(self) -> dict[str, float]:
        best = {} if self._best is None else {"best": self._best}
        return {"now": self._now, "waited": float(self._waited), **best}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self._now, self._waited, self._best = state["now"], int(state["waited"]), state.get("best")


def between(start: float, end: float, part: float) -> float:
    """From ``start`` to ``end`` along half a cosine; ``part`` in [0, 1]."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
