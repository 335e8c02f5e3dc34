"""A sweep's study: Optuna's ask and tell, with every candidate entered once, when the study is made.

Optuna's GridSampler does not work with ask and tell, its heartbeats beat for neither, and two askers at the same time
make one trial too many. So all trials are entered as waiting by whoever opens the study first; a controller takes one
of them under the study's lock and draws its parameters then.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from cnnexp.errors import InputError
from cnnexp.sweep.plan import FILE, Plan
from cnnexp.sweep.settings import Settings
from cnnexp.sweep.space import Choice, Dimension, Interval, number_text
from cnnexp.sweep.storage import StudyStorage

SPACE = "space"
CONTROLLER = "controller"
FOLDER = "folder"
FIRST_SEED_OF_A_TRIAL = 1_000_003


class Study:
    """The trials of a sweep, shared by all of its controllers.

    Raises:
        InputError: the storage cannot be reached, or holds a study of this name with another space.
    """

    def __init__(self, plan: Plan, storage: StudyStorage) -> None:
        self._plan = plan
        self._space = plan.candidates
        self._storage = storage
        try:
            self._study = optuna.create_study(
                storage=storage.optuna,
                study_name=plan.study,
                direction="maximize" if plan.mode == "max" else "minimize",
                sampler=RandomSampler(seed=plan.settings.seed),
                pruner=_pruner(plan.settings),
                load_if_exists=True,
            )
            with self.locked():
                self._enter()
        except SQLAlchemyError as error:
            raise storage.unreachable(error) from error

    def locked(self) -> AbstractContextManager[None]:
        """One controller at a time."""
        return self._storage.locked(self._plan.study)

    def _enter(self) -> None:
        """Enter the trials that are not there yet: all of them, or those that a killed creator did not come to."""
        there = self._study.user_attrs.get(SPACE)
        if there is None:
            self._study.set_user_attr(SPACE, self._plan.fingerprint)
        elif there != self._plan.fingerprint:
            raise InputError(
                f"{self._storage.name} has a study {self._plan.study} of another space: "
                f"{_difference(there, self._plan.fingerprint)}; give this one another name, sweep.study=NAME"
            )
        entered = len(self.trials())
        points = list(self._space.points()) if self._plan.settings.method == "grid" else []
        for number in range(entered, self._plan.trials):
            self._study.enqueue_trial(self._parameters(points[number]) if points else {})

    def _parameters(self, point: Mapping[str, str]) -> dict[str, Any]:
        return {one.key: _as_parameter(one, point[one.key]) for one in self._space.dimensions}

    def trials(self) -> list[FrozenTrial]:
        """All trials by number, as the storage has them now; not to be changed."""
        return self._study.get_trials(deepcopy=False)

    def point(self, trial: FrozenTrial) -> dict[str, str]:
        """A trial's values as typed; empty while it waits."""
        if not trial.params:
            return {}
        return {one.key: _as_text(one, trial.params[one.key]) for one in self._space.dimensions}

    def claim(self, controller: str) -> int | None:
        """Take the first waiting trial and draw its parameters; None when none is left.

        Two controllers never get the same one.
        """
        with self.locked():
            waiting = next((trial for trial in self.trials() if trial.state == TrialState.WAITING), None)
            if waiting is None:
                return None
            self._note(waiting, CONTROLLER, controller)
            self._study._storage.set_trial_state_values(waiting._trial_id, TrialState.RUNNING)
            self._draw(waiting)
            return waiting.number

    def adopt(self, number: int, controller: str, former: str | None) -> bool:
        """Take over a running trial whose controller is dead; False when another controller was faster."""
        with self.locked():
            trial = self.trials()[number]
            if trial.state != TrialState.RUNNING or trial.user_attrs.get(CONTROLLER) != former:
                return False
            self._note(trial, CONTROLLER, controller)
            if len(trial.params) < len(self._space.dimensions):  # its controller was killed while it drew
                self._draw(trial)
            return True

    def folder(self, trial: FrozenTrial, here: Path) -> Path:
        """The sweep's folder that has the trial's run: ``here``, or that of a controller which began it elsewhere.

        A study in a storage of its own has a folder for every controller that was started in another place. Where the
        other one can't be reached, the trial is begun again here.
        """
        there = Path(trial.user_attrs.get(FOLDER, here))
        is_shared = self._plan.settings.storage is not None
        return there if is_shared and (there / FILE).is_file() and os.access(there, os.W_OK) else here

    def _draw(self, trial: FrozenTrial) -> None:
        self._study.sampler = _sampler(self._plan.settings, trial.number)
        asked = Trial(self._study, trial._trial_id)
        for one in self._space.dimensions:
            _suggest(asked, one)

    def note(self, number: int, key: str, value: Any) -> None:
        """Write something down with a trial."""
        self._note(self.trials()[number], key, value)

    def _note(self, trial: FrozenTrial, key: str, value: Any) -> None:
        self._study._storage.set_trial_user_attr(trial._trial_id, key, value)

    def report(self, number: int, step: int, value: float) -> bool:
        """Enter a trial's score after a step (an epoch), once; True when the trial should be ended for it."""
        trial = self.trials()[number]
        if step in trial.intermediate_values:
            return False
        self._study._storage.set_trial_intermediate_value(trial._trial_id, step, value)
        return self._study.pruner.prune(self._study, self.trials()[number])

    def complete(self, number: int, value: float) -> None:
        """The trial's score."""
        self._study.tell(number, value, skip_if_finished=True)

    def prune(self, number: int) -> None:
        """The trial was ended for falling behind."""
        self._study.tell(number, state=TrialState.PRUNED, skip_if_finished=True)

    def fail(self, number: int, error: str) -> None:
        """The trial has no score, and this is why."""
        self.note(number, "error", error)
        self._study.tell(number, state=TrialState.FAIL, skip_if_finished=True)

    def beat(self, controller: str, **place: str) -> None:
        """A controller's sign of life, for other machines."""
        self._study.set_user_attr(f"{CONTROLLER}:{controller}", {**place, "time": time.time()})

    def controller(self, name: str) -> Mapping[str, Any]:
        """What a controller last said of itself."""
        return dict(self._study.user_attrs.get(f"{CONTROLLER}:{name}") or {})

    def importances(self) -> dict[str, float]:
        """How much of the score's variance each dimension explains, most first; empty where too few differ.

        Source: Hutter, Hoos and Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance".
        """
        complete = [trial for trial in self.trials() if trial.state == TrialState.COMPLETE]
        if len(complete) < 4 or len({trial.value for trial in complete}) < 2:
            return {}
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        return dict(optuna.importance.get_param_importances(self._study, evaluator=evaluator))


def _difference(one: str, other: str) -> str:
    """In which parts two fingerprints differ."""
    there, here = json.loads(one), json.loads(other)
    keys = sorted(key for key in {**there, **here} if there.get(key) != here.get(key))
    return "; ".join(f"{key} is {json.dumps(there.get(key))} there, {json.dumps(here.get(key))} here" for key in keys)


def _sampler(settings: Settings, number: int) -> BaseSampler:
    """The draws of one trial: the same on whatever machine and after whatever restart."""
    seed = (settings.seed * FIRST_SEED_OF_A_TRIAL + number) % 2**32
    if settings.method == "tpe":
        return TPESampler(seed=seed, n_startup_trials=settings.startup_trials, constant_liar=True)
    return RandomSampler(seed=seed)


def _pruner(settings: Settings) -> BasePruner:
    if settings.pruner == "median":
        warmup = settings.grace_epochs if settings.average is None else 1  # a step is an epoch, or one value's run
        return MedianPruner(n_startup_trials=settings.startup_trials, n_warmup_steps=warmup)
    if settings.pruner == "asha":
        return SuccessiveHalvingPruner(min_resource=settings.grace_epochs, reduction_factor=settings.reduction)
    return NopPruner()


def _steps(one: Choice) -> tuple[int, int, int] | None:
    """The lowest, the highest and the step of whole numbers that lie evenly; None for anything else."""
    if not all(text.lstrip("-").isdigit() for text in one.texts) or len(one.texts) < 3:
        return None
    numbers = sorted(int(text) for text in one.texts)
    steps = {after - before for before, after in pairwise(numbers)}
    return (numbers[0], numbers[-1], steps.pop()) if len(steps) == 1 else None


def distribution(one: Dimension) -> BaseDistribution:
    """The dimension in Optuna's words."""
    if isinstance(one, Interval):
        kind = IntDistribution if one.whole else FloatDistribution
        return kind(one.low, one.high, log=one.log)  # type: ignore[arg-type]
    steps = _steps(one)
    return IntDistribution(steps[0], steps[1], step=steps[2]) if steps else CategoricalDistribution(one.texts)


def _suggest(trial: Trial, one: Dimension) -> None:
    found = distribution(one)
    if isinstance(found, IntDistribution):
        trial.suggest_int(one.key, found.low, found.high, step=found.step, log=found.log)
    elif isinstance(found, FloatDistribution):
        trial.suggest_float(one.key, found.low, found.high, log=found.log)
    else:
        assert isinstance(found, CategoricalDistribution)
        trial.suggest_categorical(one.key, found.choices)


def _as_text(one: Dimension, value: Any) -> str:
    return number_text(value) if isinstance(one, Interval) else str(value)


def _as_parameter(one: Dimension, text: str) -> Any:
    return int(text) if isinstance(distribution(one), IntDistribution) else text
