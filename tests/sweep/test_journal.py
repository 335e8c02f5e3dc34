"""The journal's lock: it ends with its owner, and mends half a line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage

from cnnexp.sweep.journal import JournalLock, cut_torn_line, journal_backend

HOLD = """
import sys, time
from pathlib import Path
from cnnexp.sweep.journal import JournalLock
JournalLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"", b""),
        (b"one\n", b"one\n"),
        (b"one\ntw", b"one\n"),
        (b"on", b""),
        (b"one\n" + b"x" * 3_000_000, b"one\n"),
        (b"one\n\n", b"one\n\n"),
    ],
    ids=["empty", "whole", "torn", "first line torn", "long", "empty line"],
)
def test_half_a_line_is_cut_off(tmp_path: Path, content: bytes, left: bytes) -> None:
    journal = tmp_path / "study.journal"
    journal.write_bytes(content)
    cut_torn_line(journal)
    assert journal.read_bytes() == left


def test_a_study_whose_writer_was_cut_off_goes_on(tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    study = optuna.create_study(storage=JournalStorage(journal_backend(journal)), study_name="one")
    study.enqueue_trial({"x": 1})
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"worker_')

    again = optuna.load_study(storage=JournalStorage(journal_backend(journal)), study_name="one")
    again.enqueue_trial({"x": 2})

    last = optuna.load_study(storage=JournalStorage(journal_backend(journal)), study_name="one")
    assert [trial.system_attrs["fixed_params"]["x"] for trial in last.trials] == [1, 2]
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_a_killed_owner_holds_nobody_up(tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    owner = subprocess.Popen([sys.executable, "-c", HOLD, str(journal)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None and owner.stdout.readline() == "held\n"
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    began = time.monotonic()
    lock = JournalLock(journal)
    assert lock.acquire()
    lock.release()
    assert time.monotonic() - began < 10, "a lock left by a kill would hold for 30 s"
