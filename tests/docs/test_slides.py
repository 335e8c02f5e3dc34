"""Every figure of docs/slides.md is what the command beside it prints."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cnnexp.cli import main
from tests.packaging.imports import ROOT

PAGE = ROOT / "docs" / "slides.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "`" in line
]


def test_every_row_has_a_figure_and_a_command() -> None:
    assert len(ROWS) >= 8
    for row in ROWS:
        assert len(row) == 4, row
        assert re.findall(r"\*\*(.+?)\*\*", row[2]), row[0]


@pytest.mark.integration
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_command_prints_the_figures(
    row: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(row[3].strip("`"))
    assert program in ("cnnexp", "python")
    if program == "cnnexp":
        assert main(words) == 0
        printed = capsys.readouterr().out
    else:
        done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        printed = done.stdout
    for figure in re.findall(r"\*\*(.+?)\*\*", row[2]):
        assert re.search(rf"(?<![\d,]){re.escape(figure)}(?![\d,])", printed), f"{figure} is not in\n{printed}"
