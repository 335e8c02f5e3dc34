"""A word while libraries load: on a terminal, within 0.3 s of work, and gone before anything else is said."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from cnnexp import notice
from cnnexp.cli import COMMANDS
from cnnexp.paths import PACKAGE

CODE = """
import sys, cnnexp.cli, cnnexp.notice
def run(*_):
    assert "torch" not in sys.modules and "hydra" not in sys.modules, "too much was imported before the word"
    sys.exit(7)
cnnexp.cli._call = run
cnnexp.cli.main(["train"])
"""


def on_a_terminal(*command: str, folder: Path) -> tuple[int, str]:
    """The exit status, and what a terminal is sent."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "TERM": "xterm"}
    environment.pop("LOCAL_RANK", None)
    process = subprocess.Popen(
        [sys.executable, *command], stdout=theirs, stderr=theirs, stdin=theirs, cwd=folder, env=environment
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other side has gone
            break
        if not part:
            break
        said += part
    os.close(ours)
    return process.wait(timeout=120), said.decode()


def test_the_word_comes_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    status, said = on_a_terminal("-c", CODE, folder=tmp_path)
    assert status == 7, said
    assert said.startswith("loading PyTorch …")


def test_it_is_gone_before_an_error_is_told(tmp_path: Path) -> None:
    status, said = on_a_terminal("-m", "cnnexp", "train", "model=lenet6", folder=tmp_path)
    assert status == 2
    word, _, rest = said.partition("\r\x1b[2K")
    assert word == "loading PyTorch …"
    assert rest.startswith("cnnexp train: model=lenet6")


def test_a_pipe_is_told_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    notice.loading()
    notice.loaded()
    assert capfd.readouterr() == ("", "")


def test_commands_that_answer_at_once_say_nothing() -> None:
    assert {row.name for row in COMMANDS if not row.loads} >= {"compare", "list", "config", "runs", "diff", "layer"}
    assert {row.name for row in COMMANDS if row.loads} >= {"train", "predict", "summary"}
