"""The project speaks of itself alone: no text names the machine that it was written on."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.packaging.imports import ROOT

PRIVATE = re.compile(
    r"""
    (?<![\w.:/*~-])/(?:work|root|Users|mnt)(?=/[\w.])  # an absolute folder of one machine
    | (?<![\w.:/*~-])/home/(?!user/|you/)\w
    | \.\./shared\b
    | index-url[=\s]+(?!https://(?:download\.pytorch\.org|pypi\.org)/)\S
    """,
    re.VERBOSE,
)
NOT_OURS = {".git", ".venv", ".venv-lowest", "outputs", "build", "dist", "wandb", "__pycache__"}
CACHES = re.compile(r"\.\w+_cache")
TEXT = {".py", ".toml", ".md", ".yaml", ".yml", ".cfg", ".txt", ".json", ".sh", ".csv", ".html", ""}


def private_words(root: Path) -> list[str]:
    """Every line under `root` that names a place outside the project, as file:line and the line."""
    found = []
    for file in _texts(root):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if PRIVATE.search(line):
                found.append(f"{file.relative_to(root)}:{number} {line.strip()}")
    return found


def _texts(root: Path) -> list[Path]:
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_OURS and not CACHES.fullmatch(name)]
        found += [Path(folder, name) for name in files if Path(name).suffix in TEXT and name not in NOT_OURS]
    return found


def test_the_text_names_no_machine() -> None:
    assert len(_texts(ROOT)) > 10
    assert private_words(ROOT) == []


@pytest.mark.parametrize(
    "line",
    ["cd /" + "work/main", "`/" + "root/.cache`", "see .." + "/shared/data", "--index-" + "url http://10.0.0.1/simple"],
)
def test_a_machine_path_is_seen(tmp_path: Path, line: str) -> None:
    (tmp_path / "page.md").write_text(f"fine\n{line}\n")
    assert len(private_words(tmp_path)) == 1


@pytest.mark.parametrize(
    "line", ["https://example.org/work/paper", "a/root/b", "pip --index-url https://pypi.org/simple"]
)
def test_a_harmless_line_is_not_private(tmp_path: Path, line: str) -> None:
    (tmp_path / "page.md").write_text(line)
    assert private_words(tmp_path) == []
