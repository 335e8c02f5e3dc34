"""The process that forks trials: what it answers, when it ends, and that no child comes back into its loop."""

from __future__ import annotations

import gc
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from cnnexp.sweep import server
from cnnexp.sweep.child import CRASHED


class Ended(BaseException):
    """Stands for the end of a child's process."""


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Both ends of the server's line; the server has nothing to import, and its children are numbers."""
    ours, theirs = socket.socketpair()
    pids = iter(range(7001, 7010))
    monkeypatch.setattr(server, "IMPORTED", ())
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(os, "fork", lambda: next(pids))
    monkeypatch.setattr(sys, "argv", ["server", str(theirs.fileno())])
    monkeypatch.setattr(server.socket, "socket", lambda fileno: theirs if fileno == theirs.fileno() else None)
    ours.settimeout(10)
    yield ours, theirs
    ours.close()
    theirs.close()


def heard(connection: socket.socket) -> list[str]:
    return connection.recv(65_536).decode().splitlines()


def test_it_is_ready_and_ends_with_the_other_side(line: Any) -> None:
    ours, _ = line
    ours.shutdown(socket.SHUT_WR)
    server.main()
    assert heard(ours) == ["ready"]


def test_a_child_has_the_lock_alone_and_its_end_is_told(
    line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _ = line
    waited: list[int] = []

    def wait(pid: int, options: int) -> tuple[int, int]:
        assert options == os.WNOHANG
        waited.append(pid)
        return (pid if len(waited) == 2 else 0), 0

    monkeypatch.setattr(os, "waitpid", wait)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)  # where a writer is left, reading fails
    socket.send_fds(ours, [f"{tmp_path / 'job.json'}\n".encode()], [writing])
    os.close(writing)
    ours.shutdown(socket.SHUT_WR)
    monkeypatch.setattr(server, "REAP_EVERY_S", 0)
    server.main()
    said = heard(ours)
    assert said[:2] == ["ready", "started 7001"]
    assert os.read(reading, 1) == b"", "the server has closed what it was handed"
    os.close(reading)


def test_the_end_of_a_child_is_told_once(line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _ = line
    monkeypatch.setattr(os, "waitpid", lambda pid, options: (pid, 0))
    for name in ("one", "other"):
        reading, writing = os.pipe()
        socket.send_fds(ours, [f"{tmp_path / name}\n".encode()], [writing])
        os.close(reading)
        os.close(writing)
    ours.shutdown(socket.SHUT_WR)
    server.main()
    assert heard(ours) == ["ready", "started 7001", "ended 7001", "started 7002", "ended 7002"]


@pytest.mark.parametrize(
    ("how", "status"), [(3, 3), (0, 0), (ValueError("x"), CRASHED), (KeyboardInterrupt(), CRASHED)]
)
def test_a_child_never_comes_back(how: Any, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses: list[int] = []

    def work(job: Path) -> int:
        if isinstance(how, BaseException):
            raise how
        return int(how)

    def leave(status: int) -> None:
        statuses.append(status)
        raise Ended

    monkeypatch.setattr(server, "work", work)
    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(Ended):
        server._child(Path("job.json"))
    assert statuses == [status]


def test_what_is_imported_is_there() -> None:
    from importlib.util import find_spec

    assert [name for name in server.IMPORTED if find_spec(name) is None] == []
