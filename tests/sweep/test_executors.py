"""Where trials run: the environment that they find, and the lock that is theirs."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnexp.runs.lock import RunLock, is_locked
from cnnexp.sweep.executors import Executor, Forking, Fresh, gpus_here, slot_environment
from cnnexp.sweep.trial import process_of, write_job

SPY = """
import json, os, sys, time
import __main__
from pathlib import Path
folder = Path(sys.argv[1])
import torch
said = {
    "argv": sys.argv[1:], "spec": __main__.__spec__.name, "main": __main__.__file__, "variable": os.environ["A_WORD"],
    "session": os.getsid(0) == os.getpid(), "stdin": sys.stdin.read(), "threads": torch.get_num_threads(),
    "product": float(torch.nn.functional.conv2d(torch.ones(1, 3, 32, 32), torch.ones(8, 3, 3, 3)).sum()),
}
print("printed")
print("complained", file=sys.stderr)
(folder / "said.json").write_text(json.dumps(said))
while not (folder / "end").exists():
    time.sleep(0.01)
sys.exit(3)
"""


@pytest.fixture
def spy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose job writes down what it finds, and ends when it is told to."""
    (tmp_path / "spying.py").write_text(SPY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def start(executor: Executor, folder: Path) -> None:
    lock = RunLock(folder)
    assert lock.take()
    executor.start(write_job(folder, "spying", [str(folder)], {"A_WORD": "of its own"}), lock)


@pytest.mark.parametrize("kind", [Forking, Fresh])
def test_a_child_is_what_a_fresh_interpreter_would_be(kind: Callable[[], Executor], spy: Path) -> None:
    executor = kind()
    start(executor, spy)
    until((spy / "said.json").exists)
    said = json.loads((spy / "said.json").read_text())
    assert said["argv"] == [str(spy)]
    assert said["spec"] == "spying", "Lightning starts the module of this name for the other processes"
    assert said["variable"] == "of its own" and "A_WORD" not in os.environ
    assert said["session"] and said["stdin"] == ""
    assert said["product"] == 30 * 30 * 27 * 8, "it can compute"
    assert process_of(spy)["status"] is None and is_locked(spy)
    (spy / "end").touch()
    began = time.monotonic()
    executor.wait(60)
    assert time.monotonic() - began < 30, "waiting ends when a child does"
    until(lambda: not is_locked(spy))
    assert process_of(spy)["status"] == 3
    assert sorted((spy / "output.txt").read_text().split()) == ["complained", "printed"]
    executor.close()


@pytest.mark.parametrize("kind", [Forking, Fresh])
def test_a_child_outlives_its_executor_and_keeps_the_lock(kind: Callable[[], Executor], spy: Path) -> None:
    executor = kind()
    start(executor, spy)
    until((spy / "said.json").exists)
    executor.close()
    time.sleep(0.2)
    assert is_locked(spy)
    os.kill(process_of(spy)["pid"], signal.SIGKILL)
    until(lambda: not is_locked(spy))
    assert process_of(spy)["status"] is None


@pytest.mark.slow
def test_a_server_that_was_killed_is_replaced(spy: Path, tmp_path: Path) -> None:
    executor = Forking()
    executor.warm()
    start(executor, spy)
    until((spy / "said.json").exists)
    assert executor._server is not None
    os.kill(executor._server.pid, signal.SIGKILL)
    executor._server.wait()
    other = tmp_path / "other"
    other.mkdir()
    start(executor, other)
    until((other / "said.json").exists)
    assert is_locked(spy), "the first child goes on"
    for folder in (spy, other):
        (folder / "end").touch()
        until(lambda folder=folder: not is_locked(folder))
    executor.close()


@pytest.mark.parametrize(
    ("slot", "workers", "devices", "gpus", "expected"),
    [
        (0, 2, 1, [], {}),
        (0, 2, 1, ["0", "1"], {"CUDA_VISIBLE_DEVICES": "0"}),
        (1, 2, 1, ["0", "1"], {"CUDA_VISIBLE_DEVICES": "1"}),
        (2, 4, 1, ["0", "1"], {"CUDA_VISIBLE_DEVICES": "0"}),
        (1, 2, 2, ["4", "5", "6", "7"], {"CUDA_VISIBLE_DEVICES": "6,7"}),
        (1, 2, "auto", ["0", "1", "2", "3"], {"CUDA_VISIBLE_DEVICES": "2,3"}),
        (0, 1, "auto", ["0", "1"], {"CUDA_VISIBLE_DEVICES": "0,1"}),
        (1, 2, 1, ["GPU-5fa"], {"CUDA_VISIBLE_DEVICES": "GPU-5fa"}),
    ],
)
def test_gpus_are_shared_out(
    slot: int, workers: int, devices: int | str, gpus: list[str], expected: dict[str, str]
) -> None:
    assert slot_environment(slot, workers, devices, gpus) == expected


@pytest.mark.parametrize(("given", "found"), [("0,2", ["0", "2"]), ("", []), ("-1", []), ("GPU-5fa", ["GPU-5fa"])])
def test_only_the_gpus_that_may_be_used_are_shared(given: str, found: list[str]) -> None:
    assert gpus_here({"CUDA_VISIBLE_DEVICES": given}) == found


def test_gpus_are_counted_by_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!{sys.executable}\nprint('0\\n1')\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus_here({}) == ["0", "1"]
    tool.unlink()
    assert gpus_here({}) == []
