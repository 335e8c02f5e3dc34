from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnnexp.runs.lock import NAME, RunLock, is_locked

HOLD = """
import sys, time
from pathlib import Path
from cnnexp.runs.lock import RunLock
lock = RunLock(Path(sys.argv[1]))
assert lock.take()
print("held", flush=True)
time.sleep(60)
"""


def test_one_lock_at_a_time(tmp_path: Path) -> None:
    one, other = RunLock(tmp_path), RunLock(tmp_path)
    assert not is_locked(tmp_path)
    assert one.take()
    assert is_locked(tmp_path)
    assert not other.take()
    one.release()
    assert not is_locked(tmp_path)
    assert other.take()
    other.release()
    other.release()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_locked(tmp_path)
        assert not RunLock(tmp_path).take()
        os.kill(process.pid, signal.SIGKILL)
    assert not is_locked(tmp_path)
    assert RunLock(tmp_path).take()


def test_a_link_in_the_locks_place_makes_no_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        RunLock(tmp_path / "run").take()
    assert not is_locked(tmp_path / "run")
    assert not (tmp_path / "elsewhere").exists()


def test_a_pipe_in_the_locks_place_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    assert not is_locked(tmp_path)
