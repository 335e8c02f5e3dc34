"""How a trial's process ends is in its exit status and in its folder; what it finds there is tested with real ones."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from cnnexp.sweep import child
from cnnexp.sweep.child import CRASHED, work
from cnnexp.sweep.trial import PROCESS, write_job


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``job("raise SystemExit(3)")`` is a job whose module does that; this process stays what it is."""
    monkeypatch.setattr(child, "_redirect", lambda output: None)
    monkeypatch.setattr(os, "setsid", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.setenv("A_WORD", "of before")
    (tmp_path / "code").mkdir()

    def make(program: str) -> Path:
        (tmp_path / "code" / "job_of_somebody.py").write_text(program)
        folder = tmp_path / "trial"
        folder.mkdir()
        return write_job(folder, "job_of_somebody", ["--word", str(folder)], {"A_WORD": "of its own"})

    return make


def process(job: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((job.parent / PROCESS).read_text())
    return content


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("pass", 0),
        ("raise SystemExit", 0),
        ("raise SystemExit(0)", 0),
        ("raise SystemExit(2)", 2),
        ("raise SystemExit('a word')", 1),
        ("raise KeyboardInterrupt", CRASHED),
        ("1 / 0", CRASHED),
        ("import no_such_module_of_anybody", CRASHED),
    ],
)
def test_every_end_has_a_status_that_is_written_down(program: str, status: int, job: Any) -> None:
    made = job(program)
    assert work(made) == status
    assert process(made)["status"] == status and process(made)["pid"] == os.getpid()


def test_a_crash_leaves_its_traceback_in_the_output(job: Any, capsys: pytest.CaptureFixture[str]) -> None:
    work(job("1 / 0"))
    assert capsys.readouterr().err.rstrip().endswith("ZeroDivisionError: division by zero")


def test_it_says_that_it_is_alive_before_it_begins(job: Any) -> None:
    program = (
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "said = json.loads((Path(sys.argv[2]) / 'process.json').read_text())\n"
        "assert __name__ == '__main__' and sys.argv[1] == '--word' and os.environ['A_WORD'] == 'of its own'\n"
        "sys.exit(5 if said['status'] is None else 6)\n"
    )
    assert work(job(program)) == 5
