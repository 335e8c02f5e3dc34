"""Trials as jobs: what is asked of the cluster, whether a job waits, and that no two processes work on a trial."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cnnexp.errors import InputError
from cnnexp.runs.lock import RunLock, is_locked
from cnnexp.sweep import cluster as module
from cnnexp.sweep.cluster import WAITING, Cluster, work_locked


class Job:
    def __init__(self, job_id: str, state: str = "PENDING") -> None:
        self.job_id, self.state, self.cancelled = job_id, state, False

    def cancel(self, check: bool) -> None:
        self.cancelled = True


class Submitit:
    """What is used of submitit, with a queue that nobody works on."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.submitted: list[tuple[Any, ...]] = []
        self.named: dict[str, Any] = {}
        self.affinity = 2
        self.SlurmExecutor = SimpleNamespace(affinity=lambda: self.affinity)

    def AutoExecutor(self, folder: Path, cluster: str) -> Any:
        self.folder, self.cluster = folder, cluster
        return SimpleNamespace(update_parameters=self._update, submit=self._submit)

    def SlurmJob(self, folder: Path, job_id: str) -> Job:
        return self.jobs[job_id]

    def _update(self, **named: Any) -> None:
        if "foo" in named:
            raise NameError("Unknown argument 'foo'.\nKnown are others")
        self.named = named

    def _submit(self, *call: Any) -> Job:
        assert not is_locked(Path(call[2])), "the job takes the lock"
        self.submitted.append(call)
        job = Job(str(len(self.submitted)))
        self.jobs[job.job_id] = job
        return job


@pytest.fixture
def submitit(monkeypatch: pytest.MonkeyPatch) -> Submitit:
    made = Submitit()
    monkeypatch.setitem(sys.modules, "submitit", made)  # type: ignore[arg-type]
    return made


def started(cluster: Cluster, sweep: Path) -> str | None:
    job = sweep / "trials" / "0007" / "job.json"
    job.parent.mkdir(parents=True)
    lock = RunLock(job.parent)
    assert lock.take()
    return cluster.start(job, lock)


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_a_missing_library_is_told_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(InputError, match=r"^sweep\.executor=slurm: .* pip install 'cnnexp\[slurm\]'"):
        Cluster("slurm", {})


def test_slurm_is_refused_where_it_is_not(submitit: Submitit) -> None:
    Cluster("slurm", {}).warm()
    submitit.affinity = -1
    Cluster("local", {}).warm()
    with pytest.raises(InputError, match="there is no srun here"):
        Cluster("slurm", {}).warm()


def test_an_option_that_there_is_not_is_one_line(submitit: Submitit) -> None:
    with pytest.raises(InputError) as refused:
        Cluster("local", {"timeout_min": 5, "foo": 1}).warm()
    assert str(refused.value) == (
        "sweep.slurm.timeout_min=5, sweep.slurm.foo=1: submitit does not take it (Unknown argument 'foo'); "
        "SLURM's own begin with slurm_"
    )


def test_a_job_is_named_after_its_trial_and_knows_where_it_lies(
    submitit: Submitit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert started(Cluster("slurm", {"timeout_min": 5}), Path("sweep")) == "1"
    assert submitit.cluster == "slurm" and submitit.folder == Path("sweep/jobs")
    assert submitit.named == {"name": "cnnexp-0007", "timeout_min": 5}
    trial = tmp_path / "sweep" / "trials" / "0007"
    assert submitit.submitted == [(work_locked, str(trial / "job.json"), str(trial))], "it starts in another folder"


# --- how it goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["slurm", "local"])
@pytest.mark.parametrize(
    ("state", "waits"), [("PENDING", True), ("RUNNING", True), ("COMPLETED", False), ("FAILED", False)]
)
def test_a_job_waits_until_it_is_over(kind: str, state: str, waits: bool, submitit: Submitit, tmp_path: Path) -> None:
    cluster = Cluster(kind, {})
    name = started(cluster, tmp_path)
    assert name is not None
    submitit.jobs[name].state = state
    assert cluster.waits(name) == waits
    assert WAITING.isdisjoint({"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL"})


def test_slurm_is_asked_for_a_job_of_another_controller_and_this_machine_is_not(submitit: Submitit) -> None:
    submitit.jobs["99"] = Job("99")
    assert Cluster("slurm", {}).waits("99")
    assert not Cluster("local", {}).waits("99"), "its lock tells"


def test_only_slurm_can_be_asked_to_stop_a_job(submitit: Submitit, tmp_path: Path) -> None:
    slurm, local = Cluster("slurm", {}), Cluster("local", {})
    name = started(slurm, tmp_path / "a")
    assert name is not None and slurm.stop(name) and submitit.jobs[name].cancelled
    assert not slurm.stop("99")
    other = started(local, tmp_path / "b")
    assert other is not None and not local.stop(other) and not submitit.jobs[other].cancelled


# --- the job's own process --------------------------------------------------------------------------------------------


def test_a_job_works_under_the_trials_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Path, bool]] = []

    def work(job: Path) -> int:
        seen.append((job, is_locked(tmp_path)))
        return 5

    monkeypatch.setattr(module, "work", work)
    assert work_locked(str(tmp_path / "job.json"), str(tmp_path)) == 5
    assert seen == [(tmp_path / "job.json", True)]


def test_a_job_whose_trial_another_process_has_leaves_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "work", lambda job: pytest.fail("two processes worked on one trial"))
    monkeypatch.setattr(module, "LOCK_WITHIN_S", 0.0)
    lock = RunLock(tmp_path)
    assert lock.take()
    assert work_locked(str(tmp_path / "job.json"), str(tmp_path)) == 0
    lock.release()


def test_a_job_waits_for_a_controller_that_only_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = RunLock(tmp_path)
    assert lock.take()
    monkeypatch.setattr(module.time, "sleep", lambda seconds: lock.release())
    monkeypatch.setattr(module, "work", lambda job: 3)
    assert work_locked(str(tmp_path / "job.json"), str(tmp_path)) == 3
