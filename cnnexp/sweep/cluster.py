"""Trials as jobs of a cluster: SLURM through submitit, or submitit's own stand-in for it on this machine."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnexp.errors import InputError
from cnnexp.runs.lock import RunLock
from cnnexp.sweep.child import work

LOCK_WITHIN_S = 10.0
WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "RESIZING", "RUNNING", "SUSPENDED", "UNKNOWN"})


def work_locked(job: str, place: str) -> int:
    """The job's own process: take the trial's lock and work on it; nothing where another process has it already."""
    lock = RunLock(Path(place))
    end = time.monotonic() + LOCK_WITHIN_S
    while not lock.take():  # a controller may be looking whether anybody holds it
        if time.monotonic() > end:
            return 0
        time.sleep(0.05)
    return work(Path(job))


class Cluster:
    """Submits a job for every trial.

    Args:
        kind: slurm or local. options: of a job, in submitit's words.

    Raises:
        InputError: submitit is not installed, there is no SLURM here, or it knows no such option.
    """

    def __init__(self, kind: str, options: Mapping[str, Any]) -> None:
        self._kind = kind
        self._options = dict(options)
        self._jobs: dict[str, Any] = {}
        try:
            import submitit
        except ImportError as error:
            raise InputError(
                f"sweep.executor={kind}: submitit is not installed; pip install 'cnnexp[slurm]' brings it"
            ) from error
        self._submitit = submitit

    def warm(self) -> None:
        """Refuse here what a job could not be submitted with."""
        if self._kind == "slurm" and self._submitit.SlurmExecutor.affinity() < 0:
            raise InputError("sweep.executor=slurm: there is no srun here; start the sweep where SLURM's commands are")
        with tempfile.TemporaryDirectory(prefix="cnnexp-") as folder:
            self._submitter(Path(folder), "cnnexp")

    def _submitter(self, folder: Path, name: str) -> Any:
        executor = self._submitit.AutoExecutor(folder=folder, cluster=self._kind)
        try:
            executor.update_parameters(name=name, **self._options)
        except (NameError, TypeError, ValueError) as error:
            given = ", ".join(f"sweep.slurm.{key}={value}" for key, value in self._options.items())
            reason = str(error).splitlines()[0].rstrip(". ")
            raise InputError(f"{given}: submitit does not take it ({reason}); SLURM's own begin with slurm_") from error
        return executor

    def start(self, job: Path, lock: RunLock) -> str | None:
        executor = self._submitter(job.parents[2] / "jobs", f"cnnexp-{job.parent.name}")
        lock.release()  # taken again by the job
        submitted = executor.submit(work_locked, str(job.resolve()), str(lock.folder.resolve()))
        self._jobs[submitted.job_id] = submitted
        return str(submitted.job_id)

    def waits(self, name: str) -> bool:
        if name not in self._jobs:
            if self._kind != "slurm":  # the job of a controller that is dead: its lock tells
                return False
            self._jobs[name] = self._submitit.SlurmJob(folder=Path(), job_id=name)
        return self._jobs[name].state in WAITING

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def stop(self, name: str) -> bool:
        if self._kind != "slurm" or name not in self._jobs:
            return False
        self._jobs[name].cancel(check=False)
        return True

    def close(self) -> None:
        self._jobs = {}
