"""A controller over trials that are played: what it starts, takes up again, ends early, adopts and leaves alone."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from optuna.trial import FrozenTrial, TrialState

from cnnexp.errors import InputError
from cnnexp.runs.lock import RunLock, is_locked
from cnnexp.sweep import controller as module
from cnnexp.sweep.controller import Controller, cores
from cnnexp.sweep.plan import Plan
from cnnexp.sweep.study import Study
from tests.builders.made import configuration
from tests.sweep.conftest import MakeStudy, plan_of

METRICS = "epoch,step,val/accuracy\n1,5,0.5\n2,10,nan\n3,15,0.75\n"
"""Of all three epochs."""


@pytest.fixture(scope="module")
def usual() -> Plan:
    return plan_of("optimizer.lr=interval(0.1,1)", "sweep.trials=3")


@pytest.fixture(autouse=True)
def _composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial's configuration, without composing it."""
    monkeypatch.setattr(Plan, "config", lambda self, point, part: configuration(hardware={"threads": None}))


class Played:
    """An executor whose processes are locks: each plays a script in its folder, and lives until it is ended."""

    def __init__(self) -> None:
        self.script: Callable[[Path], bool] = lambda folder: True
        self.started: list[Path] = []
        self.jobs: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.queued: set[str] = set()
        self.waited: Callable[[], None] = lambda: None
        self._handles: dict[str, int] = {}

    def start(self, job: Path, lock: RunLock) -> str | None:
        self.started.append(job.parent)
        self.jobs.append(json.loads(job.read_text()))
        if self.script(job.parent):
            self._handles[job.parent.name] = os.dup(lock.fileno())
        lock.release()
        return job.parent.name

    def end(self, name: str) -> None:
        os.close(self._handles.pop(name))

    def waits(self, name: str) -> bool:
        return name in self.queued

    def wait(self, seconds: float) -> None:
        self.waited()

    def stop(self, name: str) -> bool:
        self.stopped.append(name)
        return True

    def warm(self) -> None:
        return None

    def close(self) -> None:
        for name in list(self._handles):
            self.end(name)


@pytest.fixture
def played() -> Iterator[Played]:
    made = Played()
    yield made
    made.close()


def leave_run(folder: Path, status: str, metrics: str = METRICS, **fields: Any) -> bool:
    """A trial that ends at once, leaving such a run."""
    run = folder / "20260102-030405-linear-synthetic-0a1b"
    (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    (run / "config.yaml").write_text("seed: 0\n")
    (run / "metrics.csv").write_text(metrics)
    record = {"schema_version": 1, "status": status, "host": platform.node(), **fields}
    (run / "run.json").write_text(json.dumps(record))
    return False


@pytest.fixture
def lead(study_of: MakeStudy, tmp_path: Path, played: Played) -> Callable[[Plan], tuple[Controller, Study]]:
    def make(plan: Plan) -> tuple[Controller, Study]:
        study = study_of(plan)
        return Controller(plan, tmp_path, study, played, lambda trials: None), study

    return make


def with_settings(plan: Plan, **changes: Any) -> Plan:
    return replace(plan, settings=replace(plan.settings, **changes))


def states(study: Study) -> list[TrialState]:
    return [trial.state for trial in study.trials()]


# --- to the end -------------------------------------------------------------------------------------------------------


def test_every_trial_is_run_once_and_has_its_best_score(usual: Plan, played: Played, lead: Any, tmp_path: Path) -> None:
    controller, study = lead(usual)
    played.script = lambda folder: leave_run(folder, "finished")
    controller.run()
    assert [folder.name for folder in played.started] == ["0000", "0001", "0002"]
    assert [(trial.state, trial.value) for trial in study.trials()] == [(TrialState.COMPLETE, 0.75)] * 3
    assert study.trials()[0].intermediate_values == {1: 0.5, 3: 0.75}, "what is no number is not entered"
    assert list((tmp_path / "controllers").iterdir()) == [] and not is_locked(controller._place)


def test_a_trial_that_failed_costs_no_other(usual: Plan, played: Played, lead: Any) -> None:
    controller, study = lead(usual)
    played.script = lambda folder: leave_run(
        folder, "failed" if folder.name == "0001" else "finished", error="the loss is nan"
    )
    controller.run()
    assert states(study) == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]
    assert study.trials()[1].user_attrs["error"] == "the loss is nan"


def test_a_point_that_makes_no_run_fails_and_nothing_is_started(
    usual: Plan, played: Played, lead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Plan, point: Any, part: Any) -> Any:
        raise InputError("optimizer.lr=-1: expected a number above 0", "epochs=0: at least 1")

    monkeypatch.setattr(Plan, "config", refuse)
    controller, study = lead(usual)
    controller.run()
    assert played.started == [] and states(study) == [TrialState.FAIL] * 3
    error = study.trials()[0].user_attrs["error"]
    assert error == "optimizer.lr=-1: expected a number above 0; epochs=0: at least 1"


def test_a_candidate_is_the_mean_over_its_parts_one_after_another(played: Played, lead: Any) -> None:
    plan = plan_of("optimizer.lr=0.1,0.2", "seed=range(0,3)", "sweep=grid", "sweep.average=seed")
    controller, study = lead(plan)

    def play(folder: Path) -> bool:
        score = {"0": 0.5, "1": 0.25, "2": 0.0}[folder.name[-1]]
        return leave_run(folder, "finished", f"epoch,step,val/accuracy\n1,5,{score}\n")

    played.script = play
    controller.run()
    assert [folder.name for folder in played.started[:3]] == ["0000-0", "0000-1", "0000-2"]
    assert [trial.value for trial in study.trials()] == [0.25, 0.25]
    assert study.trials()[0].intermediate_values == {1: 0.5, 2: 0.375, 3: 0.25}


# --- cut off ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("retries", "times"), [(0, "1 time"), (2, "3 times")])
def test_a_trial_that_is_always_killed_fails_after_its_retries(
    retries: int, times: str, usual: Plan, played: Played, lead: Any
) -> None:
    controller, study = lead(with_settings(usual, retries=retries, trials=1))
    played.script = lambda folder: leave_run(folder, "running")
    controller.run()
    assert len(played.started) == retries + 1
    assert study.trials()[0].user_attrs["error"] == f"its process was killed {times} (out of memory?)"


def test_a_trial_that_somebody_interrupted_goes_on_for_nothing(usual: Plan, played: Played, lead: Any) -> None:
    controller, study = lead(with_settings(usual, retries=0, trials=1))
    played.script = lambda folder: leave_run(folder, "finished" if len(played.started) == 3 else "interrupted")
    controller.run()
    assert states(study) == [TrialState.COMPLETE]
    assert [job["argv"][0] for job in played.jobs] == ["train", "resume", "resume"]


# --- side by side -----------------------------------------------------------------------------------------------------


def test_no_more_run_at_a_time_than_there_are_workers_and_each_has_a_place(
    usual: Plan, played: Played, lead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "gpus_here", lambda: ["4", "7"])
    plan = replace(with_settings(usual, workers=2), hardware={"accelerator": "gpu", "devices": 1})
    controller, _ = lead(plan)
    for _ in range(3):
        assert controller._step()
    assert [folder.name for folder in played.started] == ["0000", "0001"]
    leave_run(played.started[0], "finished")
    played.end("0000")
    controller._step()
    assert [folder.name for folder in played.started] == ["0000", "0001", "0002"]
    assert [job["environment"]["CUDA_VISIBLE_DEVICES"] for job in played.jobs] == ["4", "7", "4"]
    assert [job["environment"]["WANDB_RUN_GROUP"] for job in played.jobs] == [controller._folder.name] * 3


@pytest.mark.parametrize(("executor", "workers", "threads"), [("fork", 3, 4), ("fork", 1, None), ("slurm", 3, None)])
def test_trials_on_one_machine_share_its_cores(
    executor: str, workers: int, threads: int | None, usual: Plan, played: Played, lead: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(module, "cores", lambda: 14)
    controller, _ = lead(with_settings(usual, executor=executor, workers=workers))
    controller._step()
    frozen = yaml.safe_load((played.started[0] / "frozen.yaml").read_text())
    assert frozen["hardware"]["threads"] == threads


def test_there_is_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {2, 5, 6}, raising=False)
    assert cores() == 3


def test_a_job_that_waits_in_a_queue_is_not_started_again(usual: Plan, played: Played, lead: Any) -> None:
    controller, _ = lead(with_settings(usual, trials=1))
    played.script = lambda folder: False
    played.queued = {"0000"}
    for _ in range(3):
        assert controller._step()
    assert len(played.started) == 1


# --- ended early ------------------------------------------------------------------------------------------------------


def pruning(lead: Any, monkeypatch: pytest.MonkeyPatch, plan: Plan, behind_at: int) -> tuple[Controller, Study]:
    """A study that finds a trial behind at one epoch."""
    controller, study = lead(with_settings(plan, trials=1))
    report = study.report
    monkeypatch.setattr(study, "report", lambda number, step, value: report(number, step, value) or step == behind_at)
    return controller, study


def test_a_trial_that_is_behind_is_asked_once_to_stop_and_is_pruned(
    usual: Plan, played: Played, lead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller, study = pruning(lead, monkeypatch, usual, behind_at=1)
    controller._step()
    leave_run(played.started[0], "running", "epoch,step,val/accuracy\n1,5,0.1\n")
    for _ in range(3):
        controller._step()
    assert played.stopped == ["0000"], "a second signal would end it without saving"
    leave_run(played.started[0], "interrupted", "epoch,step,val/accuracy\n1,5,0.1\n")
    played.end("0000")
    assert not controller._step()
    assert states(study) == [TrialState.PRUNED] and len(played.started) == 1


def test_a_trial_in_its_last_epoch_is_let_go_on(
    usual: Plan, played: Played, lead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller, study = pruning(lead, monkeypatch, usual, behind_at=3)
    controller._step()
    leave_run(played.started[0], "running")
    controller._step()
    assert played.stopped == [] and "pruned" not in study.trials()[0].user_attrs


def test_ctrl_c_asks_the_trials_to_end_and_goes_on_up(usual: Plan, played: Played, lead: Any) -> None:
    controller, study = lead(with_settings(usual, workers=2))

    def interrupt() -> None:
        played.waited = lambda: [played.end(name) for name in played.stopped if name in played._handles] and None
        raise KeyboardInterrupt

    played.waited = interrupt
    with pytest.raises(KeyboardInterrupt):
        controller.run()
    assert sorted(played.stopped) == ["0000", "0001"]
    assert not controller._place.exists()
    assert states(study) == [TrialState.RUNNING] * 2 + [TrialState.WAITING], "for whoever resumes"


# --- several controllers ----------------------------------------------------------------------------------------------


def claimed(study: Study, tmp_path: Path, *, host: str, said: float = 0.0) -> RunLock:
    """A trial of another controller, which last gave a sign of life at a time."""
    place = tmp_path / "other"
    place.mkdir()
    study.claim("other")
    study._study.set_user_attr("controller:other", {"host": host, "place": str(place), "time": said})
    return RunLock(place)


def mine(study: Study, controller: Controller) -> list[FrozenTrial]:
    return [trial for trial in study.trials() if trial.user_attrs.get("controller") == controller.name]


@pytest.mark.parametrize("alive", [True, False])
def test_on_this_machine_a_lock_tells_whether_a_controller_lives(
    alive: bool, usual: Plan, lead: Any, tmp_path: Path
) -> None:
    controller, study = lead(with_settings(usual, trials=1))
    lock = claimed(study, tmp_path, host=platform.node())
    if alive:
        lock.take()
    controller._step()
    assert [trial.number for trial in mine(study, controller)] == ([] if alive else [0])
    lock.release()


@pytest.mark.parametrize(("ago_s", "adopted"), [(60, False), (200, True)])
def test_on_another_machine_its_last_sign_of_life_does(
    ago_s: float, adopted: bool, usual: Plan, lead: Any, tmp_path: Path
) -> None:
    controller, study = lead(with_settings(usual, trials=1, lost_after_s=100))
    claimed(study, tmp_path, host="elsewhere", said=time.time() - ago_s)
    controller._step()
    assert bool(mine(study, controller)) == adopted


def test_a_trial_that_outlived_its_controller_is_adopted_and_not_started_again(
    usual: Plan, played: Played, lead: Any, tmp_path: Path
) -> None:
    controller, study = lead(with_settings(usual, trials=1))
    claimed(study, tmp_path, host=platform.node())
    process = controller._parts(study.trials()[0])[0].lock()
    assert process.take()
    controller._step()
    assert mine(study, controller) and played.started == []
    process.release()
