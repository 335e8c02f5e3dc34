"""For a sweep in a forked process: its own forking server is a fork too, in place of an interpreter that imports torch.

The figures of its trials are left blank. What a fresh server does is for tests/sweep/test_executors.py, and for the
tests of signals and faults.
"""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import IO, Any

from tests.integration.server import leave_figures_blank

MOST_FILES = 4096


class ForkedServer:
    """``cnnexp.sweep.server`` in a fork of this process, with as much of ``subprocess.Popen`` as is asked for."""

    def __init__(self, socket: int) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _serve(socket, writing)
        os.close(writing)
        self.stderr: IO[bytes] = os.fdopen(reading, "rb")

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> None:
        os.kill(self.pid, 9)


def _serve(socket: int, error: int) -> None:
    """It must not come back, whatever happens."""
    status = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number, file in ((0, nothing), (1, nothing), (2, error)):
            os.dup2(file, number)
        os.closerange(3, socket)  # as a fresh process has none of its parent's files
        os.closerange(socket + 1, MOST_FILES)
        leave_figures_blank()
        sys.argv = ["cnnexp.sweep.server", str(socket)]
        from cnnexp.sweep.server import main

        main()
        status = 0
    finally:
        os._exit(status)


def fork_the_server() -> None:
    """From here on the sweeps of this process fork their server."""
    from cnnexp.sweep import executors

    def popen(command: list[str], **options: Any) -> Any:
        if "cnnexp.sweep.server" in command:
            return ForkedServer(int(command[-1]))
        return subprocess.Popen(command, **options)

    executors.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": popen})  # type: ignore[attr-defined]
