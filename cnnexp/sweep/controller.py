"""Leads a sweep: takes waiting trials, has them run, watches them, tells the study how they ended.

Whatever is killed, what there is to know stands in the study and in the trials' folders. A trial whose lock is free
and that the study calls running has ended or was cut off, and its folder says which. A trial lives as long as its own
process: when its controller dies, another one adopts it.
"""

from __future__ import annotations

import math
import os
import platform
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from cnnexp.errors import InputError
from cnnexp.runs.lock import RunLock, is_locked
from cnnexp.runs.write import writable_folder
from cnnexp.sweep.executors import Executor, gpus_here, slot_environment
from cnnexp.sweep.plan import Plan
from cnnexp.sweep.study import CONTROLLER, FOLDER, Study
from cnnexp.sweep.trial import Outcome, TrialFolder

HERE = ("fork", "fresh")
"""Executors whose trials share this machine."""
ELSEWHERE = "outputs=FOLDER of a new sweep"
POLL_S = 0.5
BEAT_S = 30.0
STOP_WITHIN_S = 60.0
SLOT, RETRIES, PRUNED, JOB = "slot", "retries", "pruned", "job"

Watcher = Callable[[list[FrozenTrial]], None]
"""Told all trials as they are, again and again."""


class Controller:
    """One process that leads a sweep, perhaps beside others.

    Args:
        folder: the sweep's. watch: told how all trials stand, about twice a second.
    """

    def __init__(self, plan: Plan, folder: Path, study: Study, executor: Executor, watch: Watcher) -> None:
        self._plan = plan
        self._folder = folder
        self._study = study
        self._executor = executor
        self._watch = watch
        self.name = f"{platform.node()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._place = folder / "controllers" / self.name
        self._lock = RunLock(self._place)
        self._beaten = 0.0
        self._gpus = gpus_here() if self._shares_gpus else []
        self._stopped: set[int] = set()

    @property
    def _shares_gpus(self) -> bool:
        return self._plan.settings.executor in HERE and self._plan.hardware["accelerator"] != "cpu"

    def run(self) -> None:
        """Until no trial waits or runs.

        Raises:
            DiskFull: it is. KeyboardInterrupt: as it came; the trials are asked to save and end before.
        """
        self._place.mkdir(parents=True)
        self._lock.take()
        try:
            while self._step():
                self._executor.wait(POLL_S)
        except KeyboardInterrupt:
            self._stop_all()
            raise
        finally:
            self._lock.release()
            shutil.rmtree(self._place, ignore_errors=True)

    def _step(self) -> bool:
        """Look after every trial once. False when there is nothing left to do."""
        self._beat()
        trials = self._study.trials()
        for trial in trials:
            if trial.state == TrialState.RUNNING and self._is_mine(trial):
                self._look_after(trial)
        trials = self._study.trials()
        while self._count_mine(trials) < self._plan.settings.workers and self._take_one():
            trials = self._study.trials()
        self._watch(trials)
        return any(trial.state in (TrialState.WAITING, TrialState.RUNNING) for trial in trials)

    def _beat(self) -> None:
        if time.monotonic() - self._beaten >= BEAT_S or not self._beaten:
            self._study.beat(self.name, host=platform.node(), place=str(self._place.resolve()))
            self._beaten = time.monotonic()

    def _count_mine(self, trials: list[FrozenTrial]) -> int:
        return sum(self._has(trial) for trial in trials)

    def _has(self, trial: FrozenTrial) -> bool:
        return trial.state == TrialState.RUNNING and trial.user_attrs.get(CONTROLLER) == self.name

    def _is_mine(self, trial: FrozenTrial) -> bool:
        """Whether this controller looks after the trial: its own, or one that it adopts from a dead one."""
        former = trial.user_attrs.get(CONTROLLER)
        if former == self.name:
            return True
        return not self._is_alive(former) and self._study.adopt(trial.number, self.name, former)

    def _is_alive(self, controller: str | None) -> bool:
        """By its lock on this machine, by its last sign of life on another."""
        said = self._study.controller(controller) if controller else {}
        if not said:
            return False
        if said["host"] == platform.node():
            return is_locked(Path(said["place"]))
        return time.time() - said["time"] < self._plan.settings.lost_after_s

    def _take_one(self) -> bool:
        number = self._study.claim(self.name)
        if number is None:
            return False
        self._look_after(self._study.trials()[number])
        return True

    def _look_after(self, trial: FrozenTrial) -> None:
        """One look at a trial that is this controller's."""
        lock = self._parts(trial)[0].lock()
        if not lock.take():
            self._follow(trial)
            return
        try:
            job = trial.user_attrs.get(JOB)
            if job is None or not self._executor.waits(job):
                self._go_on(trial, lock)
        finally:
            lock.release()

    def _parts(self, trial: FrozenTrial) -> list[TrialFolder]:
        parts, folder = len(self._plan.parts), self._study.folder(trial, self._folder)
        return [TrialFolder(folder, trial.number, part, parts) for part in range(parts)]

    def _follow(self, trial: FrozenTrial) -> None:
        """A trial under way: hand its curve to the pruner, and end it when it should be ended."""
        if PRUNED in trial.user_attrs:
            self._ask_to_stop(trial)
        elif len(self._plan.parts) == 1:
            for epoch, value in self._parts(trial)[0].curve(self._plan.monitor):
                if math.isnan(value) or not self._study.report(trial.number, epoch, value):
                    continue
                if epoch < self._parts(trial)[0].epochs:
                    self._study.note(trial.number, PRUNED, epoch)
                    self._ask_to_stop(trial)
                    return

    def _ask_to_stop(self, trial: FrozenTrial) -> None:
        """Once; a second signal would end it without saving."""
        if trial.number in self._stopped:
            return
        job = trial.user_attrs.get(JOB)
        if (job is not None and self._executor.stop(job)) or any([part.stop() for part in self._parts(trial)]):
            self._stopped.add(trial.number)

    def _go_on(self, trial: FrozenTrial, lock: RunLock) -> None:
        """A trial that no process works on, whose lock is held here: how did it end, and what comes next?"""
        values = []
        for place, part in enumerate(self._parts(trial)):
            outcome = part.outcome(self._plan.monitor, self._plan.mode)
            if outcome.state == "failed":
                return self._study.fail(trial.number, str(outcome.error))
            if outcome.state != "finished" or outcome.value is None:
                return self._take_up(trial, place, part, outcome, lock)
            values.append(outcome.value)
            if len(self._plan.parts) > 1:
                behind = self._study.report(trial.number, place + 1, sum(values) / len(values))
                if behind and place + 1 < len(self._plan.parts):
                    return self._study.prune(trial.number)
        if len(values) == 1:  # the epochs since the last look
            for epoch, value in self._parts(trial)[0].curve(self._plan.monitor):
                if not math.isnan(value):
                    self._study.report(trial.number, epoch, value)
        self._study.complete(trial.number, sum(values) / len(values))

    def _take_up(self, trial: FrozenTrial, place: int, part: TrialFolder, outcome: Outcome, lock: RunLock) -> None:
        """Begin a run, or go on with one that was cut off, if it is worth it."""
        if PRUNED in trial.user_attrs:
            return self._study.prune(trial.number)
        writable_folder(part.sweep, ELSEWHERE)
        retries = trial.user_attrs.get(RETRIES, 0)
        if outcome.state == "cut_off" and not outcome.asked:
            if retries >= self._plan.settings.retries:
                return self._study.fail(trial.number, _killed(retries + 1, outcome.error))
            self._study.note(trial.number, RETRIES, retries + 1)
        if outcome.run is None:
            try:
                part.freeze(self._config(trial, place))
            except InputError as error:
                return self._study.fail(trial.number, "; ".join(error.lines))
        slot = self._slot(trial)
        environment = slot_environment(slot, self._plan.settings.workers, self._plan.hardware["devices"], self._gpus)
        environment["WANDB_RUN_GROUP"] = self._folder.name
        self._study.note(trial.number, SLOT, slot)
        self._study.note(trial.number, FOLDER, str(part.sweep))
        job = self._executor.start(part.prepare(environment, self._plan.trusted), lock)
        if job is not None:
            self._study.note(trial.number, JOB, job)
        self._stopped.discard(trial.number)

    def _config(self, trial: FrozenTrial, place: int) -> dict[str, object]:
        """A run's configuration, with its share of the processor's cores."""
        config = self._plan.config(self._study.point(trial), self._plan.parts[place])
        hardware, workers = dict(config["hardware"]), self._plan.settings.workers
        if hardware["threads"] is None and workers > 1 and self._plan.settings.executor in HERE:
            devices = hardware["devices"] if isinstance(hardware["devices"], int) else 1
            hardware["threads"] = max(1, cores() // (workers * devices))
        return {**config, "hardware": hardware}

    def _slot(self, trial: FrozenTrial) -> int:
        """A place on this machine that no other trial of this controller has."""
        running = [
            one.user_attrs.get(SLOT) for one in self._study.trials() if self._has(one) and one.number != trial.number
        ]
        return next(slot for slot in range(len(running) + 1) if slot not in running)

    def _stop_all(self) -> None:
        """Ask this controller's trials to save and end, and wait for them."""
        end = time.monotonic() + STOP_WITHIN_S
        while time.monotonic() < end:
            alive = [trial for trial in self._study.trials() if self._has(trial) and self._is_working(trial)]
            if not alive:
                return
            for trial in alive:
                self._ask_to_stop(trial)
            self._executor.wait(POLL_S)

    def _is_working(self, trial: FrozenTrial) -> bool:
        lock = self._parts(trial)[0].lock()
        free = lock.take()
        lock.release()
        return not free


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _killed(times: int, error: str | None) -> str:
    text = f"its process was killed {times} time{'s' if times > 1 else ''} (out of memory?)"
    return f"{text}; it said last: {error}" if error else text
