"""`cnnexp bench`: what it refuses, and one row for real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnexp.cli import main


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lenet"], "lenet: there is no such row; did you mean lenet5?"),
        (["--budget", "0"], "--budget 0: expected a number of minutes above 0"),
        (["--budget", "nan"], "--budget nan: expected a number of minutes above 0"),
        (["--threads", "0"], "--threads 0: expected a whole number of at least 1"),
        (["--threads", "many"], "expected a whole number, not"),
        (["--json", "nowhere/bench.json"], "there is no folder nowhere; make it first"),
        (["--json", "."], "this is a folder; name a file"),
        (["--device", "tpu"], "no such choice"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert says in line


def test_the_rows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines][:2] == ["lenet5", "resnet20_fp32"]


@pytest.mark.slow
@pytest.mark.integration
def test_one_row_for_real(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.json"
    main(["bench", "overhead", "--quick", "--threads", "1", "--device", "cpu", "--json", str(path)])
    assert "everything on over bare loop" in capfd.readouterr().out
    (row,) = json.loads(path.read_text())["rows"]
    assert len(row["programs"]["everything on"]) == 2
    assert row["verdict"] == "undecided"
