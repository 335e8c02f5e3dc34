"""Where trials run: processes forked from a warm one, fresh interpreters, or jobs of a cluster."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, Protocol

from cnnexp.errors import RunFailed
from cnnexp.runs.lock import RunLock
from cnnexp.sweep.settings import Settings

LONGEST_START_S = 300


class Executor(Protocol):
    """Starts a trial's process and hands it the trial's lock."""

    def warm(self) -> None:
        """Begin to get ready, without waiting for it."""

    def start(self, job: Path, lock: RunLock) -> str | None:
        """Start a process for a job, and let go of the lock, which is the process's from then on.

        Returns:
            A name by which ``waits`` knows the job, for those that may wait in a queue without holding their lock.
        """

    def waits(self, name: str) -> bool:
        """Whether a job that holds no lock is about to begin."""

    def wait(self, seconds: float) -> None:
        """Until a process ends, or for so long."""

    def stop(self, name: str) -> bool:
        """Ask a job to save and end; False where its process has to be asked itself."""

    def close(self) -> None:
        """No more will be started; what runs goes on."""


@contextmanager
def make_executor(settings: Settings) -> Iterator[Executor]:
    """The executor that ``sweep.executor`` names, getting ready; at the end it is closed.

    Raises:
        InputError: the library for it is not installed.
    """
    executor = _executor(settings)
    executor.warm()
    try:
        yield executor
    finally:
        executor.close()


def _executor(settings: Settings) -> Executor:
    if settings.executor == "fork":
        return Forking()
    if settings.executor == "fresh":
        return Fresh()
    from cnnexp.sweep.cluster import Cluster

    return Cluster(settings.executor, settings.slurm)


class Forking:
    """Forks every trial from one process that has imported everything: see ``server``."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._heard = b""
        self._is_ready = False

    def start(self, job: Path, lock: RunLock) -> str | None:
        connection = self._connection()
        try:
            socket.send_fds(connection, [f"{job.resolve()}\n".encode()], [lock.fileno()])
        except (BrokenPipeError, ConnectionResetError):  # somebody has killed the server; another takes its place
            self.close()
            socket.send_fds(self._connection(), [f"{job.resolve()}\n".encode()], [lock.fileno()])
        self._hear(b"started")
        lock.release()
        return None

    def _connection(self) -> socket.socket:
        """The server's socket, with the server started and warm."""
        self.warm()
        assert self._socket is not None
        if not self._is_ready:
            self._hear(b"ready")
            self._is_ready = True
        return self._socket

    def warm(self) -> None:
        if self._socket is not None:
            return
        self._is_ready = False
        ours, theirs = socket.socketpair()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "cnnexp.sweep.server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        theirs.close()
        self._socket = ours

    def _hear(self, word: bytes) -> None:
        """Wait for a line that begins so; other lines only wake ``wait``."""
        assert self._socket is not None
        self._socket.settimeout(LONGEST_START_S)
        while True:
            *lines, self._heard = self._heard.split(b"\n")
            if any(line.startswith(word) for line in lines):
                return
            message = self._socket.recv(65_536)
            if not message:
                self._fail()
            self._heard += message

    def _fail(self) -> NoReturn:
        assert self._server is not None and self._server.stderr is not None
        self._server.wait()
        lines = self._server.stderr.read().decode("utf-8", "replace").strip().splitlines()
        raise RunFailed(f"the process that forks trials ended: {lines[-1] if lines else 'without a word'}")

    def waits(self, name: str) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        if self._socket is None:
            time.sleep(seconds)
            return
        if b"ended" not in self._heard:
            select.select([self._socket], [], [], seconds)
            self._socket.setblocking(False)
            try:
                if not self._socket.recv(65_536):
                    self.close()
            except BlockingIOError:
                return
            except ConnectionResetError:
                self.close()
        self._heard = b""

    def stop(self, name: str) -> bool:
        return False

    def close(self) -> None:
        if self._socket is not None and self._server is not None:
            self._socket.close()
            if not self._is_ready:  # it is importing still, and has no children
                self._server.kill()
            self._server.wait()
            assert self._server.stderr is not None
            self._server.stderr.close()
            self._socket = None


class Fresh:
    """A new interpreter for every trial: slower to start, and nothing is shared."""

    def __init__(self) -> None:
        self._pids: set[int] = set()

    def warm(self) -> None:
        return None

    def start(self, job: Path, lock: RunLock) -> str | None:
        os.set_inheritable(lock.fileno(), True)  # nothing else is: files are opened so that a new program lacks them
        command = [sys.executable, "-m", "cnnexp.sweep.child", str(job.resolve())]
        self._pids.add(os.posix_spawn(sys.executable, command, os.environ))
        lock.release()
        return None

    def waits(self, name: str) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            ended = {pid for pid in self._pids if os.waitpid(pid, os.WNOHANG)[0]}
            self._pids -= ended
            if ended:
                return
            time.sleep(0.02)

    def stop(self, name: str) -> bool:
        return False

    def close(self) -> None:
        self._pids = set()


def slot_environment(slot: int, workers: int, devices: int | str, gpus: list[str]) -> dict[str, str]:
    """The GPUs of one of ``workers`` places on this machine, as ``CUDA_VISIBLE_DEVICES``; empty without GPUs.

    Args:
        slot: 0 to workers - 1. devices: GPUs for each trial, or ``auto`` for an even share. gpus: ids of all of them.
    """
    if not gpus:
        return {}
    each = devices if isinstance(devices, int) else max(1, len(gpus) // workers)
    chosen = [gpus[(slot * each + place) % len(gpus)] for place in range(min(each, len(gpus)))]
    return {"CUDA_VISIBLE_DEVICES": ",".join(chosen)}


def gpus_here(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Ids of the GPUs that this process may use, found without torch."""
    given = environment.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [one.strip() for one in given.split(",") if one.strip() and one.strip() != "-1"]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return listed.stdout.split() if listed.returncode == 0 else []
