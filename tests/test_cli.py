"""The command table: what every command has, and how an error ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from cnnexp import __version__, cli
from cnnexp.cli import COMMANDS, main
from cnnexp.errors import InputError, Interrupted, RunFailed

NAMES = [command.name for command in COMMANDS]


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_the_overview_groups_all_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(
        any(line.startswith(f"  {command.name} ") and command.help in line for line in lines) for command in COMMANDS
    )
    assert [line for line in lines if line in ("Run:", "Use a run:", "Look:")] == ["Run:", "Use a run:", "Look:"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", ["{} --help", "help {}"])
def test_each_command_shows_an_example(
    name: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main(words.format(name).split())
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"example:\n  cnnexp {name}" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"cnnexp {__version__}\n"


def run_as(monkeypatch: pytest.MonkeyPatch, run: Callable[[object], int]) -> None:
    """Let `cnnexp list` do something else."""
    module = SimpleNamespace(EXAMPLE="", add_arguments=lambda parser: None, run=run)
    monkeypatch.setattr(cli, "import_module", lambda name: module)


def _raise(error: BaseException) -> Callable[[object], int]:
    def run(arguments: object) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (InputError("one", "two"), 2, "cnnexp list: one\ncnnexp list: two\n"),
        (RunFailed("it failed"), 1, "cnnexp list: it failed\n"),
        (Interrupted("stopped"), 130, "cnnexp list: stopped\n"),
        (KeyboardInterrupt(), 130, "cnnexp list: interrupted\n"),
        (ValueError("first\nsecond"), 1, "cnnexp list: ValueError: first (--debug shows where)\n"),
        (ValueError(), 1, "cnnexp list: ValueError (--debug shows where)\n"),
        (InputError("a\x1b[31mb\x07é–\u202e"), 2, "cnnexp list: a?[31mb?é–?\n"),
    ],
)
def test_an_error_is_a_line_and_a_status(
    error: BaseException,
    status: int,
    text: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_as(monkeypatch, _raise(error))
    assert main(["list"]) == status
    assert capsys.readouterr() == ("", text)


def test_debug_shows_where(monkeypatch: pytest.MonkeyPatch) -> None:
    run_as(monkeypatch, _raise(ValueError("first")))
    with pytest.raises(ValueError, match="first"):
        main(["list", "--debug"])


def test_ctrl_c_is_an_interruption_whatever_becomes_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(arguments: object) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt as error:
            raise RecursionError("in some library") from error
        return 0

    run_as(monkeypatch, run)
    before = signal.getsignal(signal.SIGINT)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "cnnexp list: interrupted\n"
    assert signal.getsignal(signal.SIGINT) == before


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cnnexp", "list"], stdout=writing, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
