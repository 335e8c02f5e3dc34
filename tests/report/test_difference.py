from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from cnnexp.commands import diff
from cnnexp.report.difference import DifferenceTable, Differing, as_values, differences
from cnnexp.report.export import plain_json
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def printed(differing: Differing, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(DifferenceTable(differing))
    return stream.getvalue()


@pytest.fixture
def pair(record: MakeRecord, tmp_path: Path) -> tuple[Record, Record]:
    found = []
    for place, name in enumerate("ab"):
        folder = tmp_path / name
        folder.mkdir()
        one = record(
            f"20261121-09310{place}-{name}", metrics={"test/accuracy": 0.9 + place / 50, "test/loss": 0.5},
            lr=[0.1, 0.01][place], data=["mnist5k", "mnist"][place], outputs=name, folder=folder,
        )  # fmt: skip
        one.run["versions"] = {"python": "3.12.1", "torch": ["2.14.0", "2.15.0"][place]}
        one.run["git"] = {"commit": "abcdef0123456789" if place else "9876543210fedcba", "dirty": bool(place)}
        one.run["host"] = "node"
        found.append(one)
    (tmp_path / "b" / "git.diff").write_text("+ one\n- two\n")
    return found[0], found[1]


def test_every_section_has_what_differs_and_nothing_else(pair: tuple[Record, Record]) -> None:
    sections = differences(*pair).sections
    assert sections["settings"] == {"optimizer.lr": (0.1, 0.01)}
    assert sections["data"] == {"data.mean": ([0.7], [0.5]), "data": ("mnist5k", "mnist")}
    assert sections["code"] == {
        "commit": ("9876543210fe", "abcdef012345"), "uncommitted changes": ("none", "2 lines"),
    }  # fmt: skip
    assert sections["versions"] == {"torch": ("2.14.0", "2.15.0")}
    assert sections["machine"] == {}
    assert sections["result"] == {"test/accuracy": (0.9, 0.92)}


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_names_both_values_and_what_is_the_same(pair: tuple[Record, Record], width: int) -> None:
    text = printed(differences(*pair), width)
    assert max(map(len, text.splitlines())) <= width
    rows = [line.split() for line in text.splitlines()]
    assert ["optimizer.lr", "0.1", "0.01"] in rows
    assert ["test/accuracy", "0.9000", "0.9200", "−0.0200"] in rows
    assert "no difference in: machine" in text
    assert "has no predictions.csv" in text


def test_a_run_does_not_differ_from_itself(pair: tuple[Record, Record]) -> None:
    found = differences(pair[0], pair[0])
    assert not any(found.sections.values())
    assert "no difference in: settings, settings of data, code, versions, machine, result" in printed(found)


def test_a_key_that_one_run_lacks_is_shown_as_missing(record: MakeRecord) -> None:
    found = differences(record(config={"extra": 1}), record())
    assert ["extra", "1", "-"] in [line.split() for line in printed(found).splitlines()]
    assert json.loads(plain_json(as_values(found)))["settings"]["extra"] == {"a": 1}


def test_markup_and_control_sequences_stay_text(record: MakeRecord) -> None:
    evil = "[red]x[/red]\x1b[2J[/nonsense]"
    text = printed(differences(record(lr=evil, config={evil: 1}), record(metrics={f"test/{evil}": 0.5})), 400)
    assert "[red]x[/red]?[2J" in text
    assert "\x1b" not in text


def test_the_command_prints_json(
    pair: tuple[Record, Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    for one in pair:
        content = {"schema_version": 1, "status": "finished", **one.run}
        (one.folder / "run.json").write_text(json.dumps(content))
        (one.folder / "config.yaml").write_text(json.dumps(one.config))
    parser = argparse.ArgumentParser()
    diff.add_arguments(parser)
    assert diff.run(parser.parse_args(["a", "b", "--outputs", str(tmp_path), "--json"])) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["a"], content["settings"]["optimizer.lr"]) == ("a", {"a": 0.1, "b": 0.01})


def test_a_key_that_an_earlier_version_lacked_differs_only_from_another_value(record: MakeRecord) -> None:
    old = record("20261121-093101-a")
    same = record("20261121-093102-a", of_model={"match": "names"}, config={"accumulate": 1})
    assert differences(old, same).sections["settings"] == {}
    other = record("20261121-093103-a", of_model={"match": "stages"}, config={"accumulate": 4})
    assert differences(old, other).sections["settings"] == {"model.match": ("names", "stages"), "accumulate": (1, 4)}
