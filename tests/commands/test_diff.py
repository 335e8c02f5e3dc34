"""Two runs' folders held against each other, as a table and for programs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import yaml

from cnnexp.commands import diff
from cnnexp.errors import InputError


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    diff.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    for name, lr, score in (("20261121-100000-a", 0.1, 0.9), ("20261121-100001-b", 0.01, 0.95)):
        folder = tmp_path / "outputs" / name
        folder.mkdir(parents=True)
        config = {"choices": {"model": "lenet5", "data": "mnist5k"}, "optimizer": {"lr": lr}, "seed": 0}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        run = {"schema_version": 1, "status": "finished", "created": f"2026-11-21T10:00:0{name[-8]}+00:00"}
        (folder / "run.json").write_text(json.dumps(run))
        (folder / "summary.json").write_text(json.dumps({"metrics": {"test/accuracy": score}}))
    return tmp_path / "outputs"


def test_the_first_stands_at_the_left(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff.run(parsed("20261121-100001", "20261121-100000", "--outputs", str(outputs))) == 0
    (line,) = [line.split() for line in capsys.readouterr().out.splitlines() if "optimizer.lr" in line]
    assert line.index("0.01") < line.index("0.1")


def test_for_other_programs_it_is_json_and_nothing_else(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff.run(parsed("20261121-100000", "last", "--json", "--outputs", str(outputs))) == 0
    text = capsys.readouterr().out
    content = json.loads(text)
    assert "optimizer.lr" in text and "20261121-100000-a" in text and content


def test_a_run_that_there_is_not_is_named(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"^nosuch: there is no such run"):
        diff.run(parsed("last", "nosuch", "--outputs", str(outputs)))
    assert capsys.readouterr().out == ""


def test_a_damaged_record_is_refused(outputs: Path) -> None:
    (outputs / "20261121-100000-a" / "run.json").write_text("{")
    with pytest.raises(InputError, match="20261121-100000-a"):
        diff.run(parsed("20261121-100000-a", "last", "--outputs", str(outputs)))
