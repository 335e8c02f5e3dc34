"""Which runs may go, and what the list of runs says of them."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from cnnexp.report.comparison import Runs
from cnnexp.report.keeping import kept_table, size_figure, to_prune
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def gone(*records: Record, keep: int = 1) -> str:
    return "".join(one.id for one in to_prune(Runs(list(records)), keep))


def test_the_best_of_each_data_set_stay(record: MakeRecord) -> None:
    runs = [
        record(letter, data=data, metrics={"test/accuracy": score})
        for letter, data, score in [
            ("a", "mnist5k", 0.9), ("b", "mnist5k", 0.8), ("c", "mnist5k", 0.95), ("d", "cifar10", 0.5),
        ]
    ]  # fmt: skip
    assert gone(*runs) == "ab"
    assert gone(*runs, keep=2) == "b"
    assert gone(*runs, keep=3) == ""


def test_of_a_loss_the_least_stay(record: MakeRecord) -> None:
    runs = [record(letter, metrics={"test/loss": loss}) for letter, loss in (("a", 0.3), ("b", 0.1), ("c", 0.2))]
    assert gone(*runs) == "ac"


def test_scores_of_different_kinds_are_no_rivals(record: MakeRecord) -> None:
    one = record("a", metrics={"test/accuracy": 0.9})
    other = record("b", model="unet", metrics={"test/miou": 0.1})
    assert gone(one, other) == ""


def test_of_equal_scores_the_first_stays(record: MakeRecord) -> None:
    assert gone(*(record(letter, metrics={"test/accuracy": 0.9}) for letter in "abc")) == "bc"


@pytest.mark.parametrize("status", ["running", "damaged", "foreign"])
def test_what_is_under_way_or_cannot_be_read_stays(status: str, record: MakeRecord) -> None:
    assert gone(record("a", metrics={"test/accuracy": 0.9}), record("b", status=status)) == ""


@pytest.mark.parametrize("status", ["stopped", "interrupted", "failed", "crashed"])
def test_what_did_not_finish_takes_nobody_s_place(status: str, record: MakeRecord) -> None:
    whole, cut = record("a", metrics={"test/accuracy": 0.5}), record("b", status=status, metrics={"test/accuracy": 0.9})
    assert gone(whole, cut) == "b"
    assert gone(whole, record("b", partial=True, metrics={"test/accuracy": 0.9})) == "b"


def test_a_tag_keeps_a_run_and_takes_no_place_of_another(record: MakeRecord) -> None:
    tagged = record("a", metrics={"test/accuracy": 0.1})
    tagged = replace(tagged, run={**tagged.run, "tags": ["paper"]})
    others = [record(letter, metrics={"test/accuracy": score}) for letter, score in (("b", 0.8), ("c", 0.9))]
    assert gone(tagged, *others) == "b"


@pytest.mark.parametrize(
    ("count", "figure"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (812_345, "812 kB"),
        (1_400_000_000, "1.4 GB"),
        (12_340_000, "12.3 MB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (999_999_999, "1 GB"),
    ],
)
def test_sizes(count: int, figure: str) -> None:
    assert size_figure(count) == figure


def table(*records: Record, width: int = 100) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(
        kept_table(Runs(list(records)), {one.id: 1000 for one in records}, width)
    )
    return stream.getvalue().splitlines()


def test_one_metric_is_the_header_and_of_several_each_line_names_its_own(record: MakeRecord) -> None:
    one = record("20261121-093105-a", metrics={"test/accuracy": 0.9})
    other = record("20261121-093106-b", model="unet", metrics={"test/miou": 0.25})
    assert table(one, record("20261121-093106-b"))[0].split() == ["run", "status", "model", "data", "accuracy", "size"]
    header, _, first, second = table(one, other)
    assert header.split() == ["run", "status", "model", "data", "score", "metric", "size"]
    assert first.split()[4:6] == ["0.9000", "accuracy"] and second.split()[4:6] == ["0.2500", "miou"]


def test_a_terminal_is_sent_no_control_sequence(record: MakeRecord) -> None:
    evil = record("20261121-093105-\x1b[2J", metrics={"test/accuracy": 0.9})
    evil = replace(evil, run={**evil.run, "tags": ["\x1b]0;x\x07"]})
    assert "\x1b" not in "".join(table(evil)) and "\x07" not in "".join(table(evil))
