"""One run, from its configuration to its record: begin, fit, test with the best weights, close."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from cnnexp.errors import DiskFull, InputError, Interrupted, RunFailed
from cnnexp.fit import closing
from cnnexp.fit.console import RunLog, quiet_known_warnings
from cnnexp.fit.fitting import Fit
from cnnexp.fit.judging import with_judge
from cnnexp.fit.ranks import Role
from cnnexp.fit.setup import Request, Run, begin
from cnnexp.runs.write import disk_error

__all__ = ["Request", "run"]


def run(request: Request, role: Role) -> int:
    """Train and test, and leave a record whatever happens.

    Returns:
        The exit status: 0, also for a run that stopped at ``max_steps`` as it was asked to.

    Raises:
        InputError: before anything was made. RunFailed: the run had begun and could not go on, as when a disk fills up.
        Interrupted: it was asked to stop, and says how to go on.
    """
    quiet_known_warnings()
    log = RunLog(Console(quiet=not role.is_main), main=role.is_main)
    try:
        request = with_judge(request, lambda other: run(other, role), log.say)
        return _recorded(begin(request, role, log))
    finally:
        log.close()


def _recorded(run: Run) -> int:
    """Fit and test, with the end of it in the record, however it comes."""
    try:
        status = _fit_and_test(run)
    except Interrupted as error:
        _finish(run, "interrupted", None)
        raise Interrupted(f"{error}; go on with: cnnexp resume {run.name}") from None
    except KeyboardInterrupt:
        _finish(run, "interrupted", None)
        raise Interrupted(f"interrupted; go on with: cnnexp resume {run.name}") from None
    except OSError as error:
        failure = RunFailed(str(disk_error(error, run.folder or Path())))
        _finish(run, "failed", str(failure))
        raise failure from error
    except BaseException as error:
        _finish(run, "failed", _line(error))
        if isinstance(error, InputError) and run.new:
            run.recorder.discard()
        raise
    _finish(run, status, None)
    if run.recorder.folder is not None:
        run.log.say(f"{run.recorder.folder}")
    return 0


def _fit_and_test(run: Run) -> str:
    fit = Fit(run)
    try:
        status = fit.train()
        closing.test(fit)
    except InputError as error:
        if fit.checkpointing.step == 0 and not isinstance(error, DiskFull):
            raise
        # a file that breaks under way, or a disk that fills up: the run had begun, and is kept
        raise RunFailed(str(error)) from error
    closing.record(fit)
    fit.stop.remove()
    return status


def _finish(run: Run, status: str, error: str | None) -> None:
    run.recorder.finish(status, error, partial=run.partial)
    if run.recorder.folder is None and error and run.folder is not None and run.folder.is_dir():
        (run.folder / f"error-rank{run.role.rank}.txt").write_text(error + "\n", encoding="utf-8")


def _line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    return text if isinstance(error, (InputError, RunFailed)) else f"{type(error).__name__}: {text}"
