"""A trial's own process: it makes itself what ``python -m MODULE …`` in a fresh shell would be, and runs that."""

from __future__ import annotations

import os
import platform
import runpy
import signal
import sys
import traceback
from pathlib import Path

from cnnexp.runs.atomic import write_json
from cnnexp.runs.read import read_json
from cnnexp.sweep.trial import OUTPUT, PROCESS

CRASHED = 70


def work(job: Path) -> int:
    """Run a job's command line, with its output in the trial's folder. Returns the exit status."""
    if os.getpgrp() != os.getpid():
        os.setsid()  # Ctrl-C is for the controller, and the trial outlives it
    folder = job.parent
    _redirect(folder / OUTPUT)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    asked = read_json(job)
    os.environ.update(asked["environment"])
    sys.argv = [asked["module"], *asked["argv"]]
    me = {"host": platform.node(), "pid": os.getpid()}
    write_json(folder / PROCESS, {**me, "status": None})
    status = _run(asked["module"])
    write_json(folder / PROCESS, {**me, "status": status})
    return status


def _redirect(output: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number, handle in ((0, nothing), (1, written), (2, written)):
        os.dup2(handle, number)


def _run(module: str) -> int:
    """The module, as one that Lightning will start again for the other processes of this trial."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return CRASHED
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(work(Path(sys.argv[1])))
