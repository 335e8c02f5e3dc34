"""What a run was made with: the code's commit and its uncommitted changes, package versions, the machine."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "cnnexp",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "hydra-core",
    "omegaconf",
    "numpy",
    "pillow",
    "mlxtend",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result, without importing them."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_state(folder: Path) -> tuple[dict[str, Any] | None, str]:
    """The commit that a folder is at, and the difference of the tracked files from it.

    Returns:
        A pair: ``{"commit": …, "dirty": …}``, or None outside a repository; and the diff as text, possibly empty.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None, ""
    diff = _git(folder, "diff", "HEAD", "--no-ext-diff", "--no-textconv", "--", ".") or ""
    return {"commit": commit.strip(), "dirty": bool(diff.strip())}, diff


def _git(folder: Path, *words: str) -> str | None:
    """Git's answer; None without git or outside a repository. No setting of the repository may run a program."""
    command = ["git", "-c", "core.fsmonitor=", "-c", "diff.external=", *words]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
