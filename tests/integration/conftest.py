"""The real command line, called often: see ``server.py``."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from cnnexp.cli import main
from tests.integration.server import SERVER, Server


@dataclass(frozen=True)
class Done:
    """How a call ended. ``status`` is the exit status, -9 after SIGKILL."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.strip()]


CommandLine = Callable[..., Done]


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Server:
    """The forking process."""
    return pytestconfig.stash[SERVER]


@pytest.fixture
def cnnexp(server: Server, tmp_path: Path) -> CommandLine:
    """``cnnexp("train", "model=lenet5", kill="batch:3")`` runs in ``tmp_path`` and returns how it ended.

    The figures of a training are left blank but with ``figures=True``.
    """
    return command_line(server, tmp_path)


@pytest.fixture
def here(tmp_path: Path, process_kept: None, logging_kept: None) -> CommandLine:
    """The command line in this process, for calls that are refused before anything is computed."""

    def call(*argv: str, cwd: Path | None = None, **environment: str) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(cwd or tmp_path)
            patch.setattr(sys, "argv", ["cnnexp", *argv])
            for name, value in {"COLUMNS": "80", **environment}.items():
                patch.setenv(name, value)
            status = main(argv)
        return Done(status, out.getvalue(), err.getvalue())

    return call


def command_line(server: Server, tmp_path: Path) -> CommandLine:
    """The command line, called in a folder."""

    def call(
        *argv: str, kill: str | None = None, figures: bool = False, cwd: Path | None = None, **environment: str
    ) -> Done:
        out, err = tmp_path / ".out", tmp_path / ".err"
        status = server.call(
            argv=list(argv),
            cwd=str(cwd or tmp_path),
            environment={"COLUMNS": "80", **environment},
            kill=kill,
            figures=figures,
            out=str(out),
            err=str(err),
        )
        return Done(status, out.read_text(), err.read_text())

    return call


@pytest.fixture
def only_run(tmp_path: Path) -> Callable[[], Path]:
    """The folder of the one run in ``tmp_path/outputs``."""

    def find() -> Path:
        runs: Sequence[Path] = [path for path in (tmp_path / "outputs").iterdir() if path.is_dir()]
        assert len(runs) == 1, runs
        return runs[0]

    return find


@pytest.fixture(scope="session")
def trained(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run that finished. Not to be changed: see ``copy_run``."""
    return _run_of(server, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def stopped(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run that stopped in the middle of its only epoch. Not to be changed: see ``copy_run``."""
    return _run_of(server, tmp_path_factory.mktemp("stopped"), "max_steps=3")


def _run_of(server: Server, folder: Path, *words: str) -> Path:
    done = command_line(server, folder)("train", "data.fraction=0.1", "epochs=1", "hardware.threads=1", *words)
    assert done.status == 0, done.err
    (run,) = (folder / "outputs").iterdir()
    return run


def copy_run(run: Path, folder: Path) -> Path:
    """A copy of a run that a test may damage, as the only one in ``folder/outputs``."""
    return Path(shutil.copytree(run, folder / "outputs" / run.name))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty folder to call the command line in."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder
