"""What a run was made with: the commit, what was changed since, and the versions of what decides a result."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from cnnexp.runs import provenance
from cnnexp.runs.provenance import git_state, versions

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(folder: Path, *words: str) -> str:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *words], cwd=folder, env=own, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two folders in one commit."""
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code.py").write_text("a = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_versions_are_of_what_is_installed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", (*provenance.PACKAGES, "no-such-package-of-anybody"))
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0] and "cnnexp" in found
    assert "no-such-package-of-anybody" not in found


@needs_git
def test_a_clean_folder_is_its_commit(repository: Path) -> None:
    (repository / "ours" / "new.txt").write_text("not tracked")
    commit = git(repository, "rev-parse", "HEAD")
    assert git_state(repository / "ours") == ({"commit": commit, "dirty": False}, "")


@needs_git
@pytest.mark.parametrize("staged", [False, True])
def test_what_was_changed_is_kept_staged_or_not_and_only_of_this_folder(staged: bool, repository: Path) -> None:
    for name in ("ours", "theirs"):
        (repository / name / "code.py").write_text(f"{name} = 2\n")
    if staged:
        git(repository, "add", ".")
    state, diff = git_state(repository / "ours")
    assert state is not None and state["dirty"]
    assert "-a = 1" in diff and "+ours = 2" in diff and "theirs" not in diff


def test_without_a_repository_or_without_git_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) == (None, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) == (None, "")


@needs_git
def test_a_git_that_hangs_is_not_waited_for(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], timeout: float, **named: object) -> None:
        assert timeout <= 60
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    assert git_state(repository) == (None, "")


@needs_git
def test_a_difference_is_shown_without_running_what_the_repository_names(repository: Path) -> None:
    bomb = repository / "bomb"
    bomb.write_text(f"#!/bin/sh\ntouch {repository}/ran\n")
    bomb.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "diff.own.textconv", "diff.own.command"):
        git(repository, "config", key, str(bomb))
    (repository / ".gitattributes").write_text("* diff=own\n")
    (repository / "ours" / "code.py").write_text("a = 2\n")
    state, diff = git_state(repository / "ours")
    assert state is not None and state["dirty"] and "+a = 2" in diff
    assert not (repository / "ran").exists()
    subprocess.run(["git", "diff"], cwd=repository, capture_output=True)
    assert (repository / "ran").exists(), "the bomb is a bomb"


@needs_git
def test_a_difference_that_is_no_text_is_no_error(repository: Path) -> None:
    (repository / "ours" / "code.py").write_bytes(b"caf\xe9\n")
    state, diff = git_state(repository / "ours")
    assert state is not None and state["dirty"] and "+caf\ufffd" in diff
