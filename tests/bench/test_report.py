"""The table fits 80 columns and says what was found; JSON holds every figure."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from cnnexp.bench.cells import Cell, Peer, Row, Variant
from cnnexp.bench.measure import measure
from cnnexp.bench.report import as_values, environment, heading, table_of
from tests.bench.test_measure import WORDS, Machine, peer, row


def printed(*shown: object) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=80, highlight=False)
    for one in shown:
        console.print(one)
    return stream.getvalue()


def test_a_row_says_what_was_found() -> None:
    found = measure(row([peer("plain"), peer("timm")]), 1e9, Machine({"train": 200.0, "plain": 100.0, "timm": "no"}))
    text = printed(table_of(found))
    assert max(len(line) for line in text.splitlines()) <= 80
    (line,) = [line for line in text.splitlines() if "cnnexp against plain" in line]
    assert "2.0" in line and "1.30×" in line and line.rstrip().endswith("reached")
    assert "cnnexp, run twice" in text and "1.00×" in text
    assert "timm: no" in text
    assert "more than chance" not in text


def test_overhead_is_in_microseconds() -> None:
    variant = Variant("everything on", Cell("train", WORDS), 350.0)
    overhead = Row("overhead", "overhead", (variant,), (peer("bare"),), figure="overhead")
    found = measure(overhead, 1e9, Machine({"train": 100_000.0, "bare": 200_000.0}, noise=0.001))
    text = printed(table_of(found))
    assert found.verdict == "reached"
    assert "350 µs" in text and "320 µs" in text  # 64 images at 100,000 a second take 640 µs


def test_a_machine_that_is_busy_is_said_to_be() -> None:
    found = measure(row([peer("plain")]), 1e9, Machine({"train": 300.0, "plain": 100.0}, noise=0.0, drift=1.1))
    assert "let the machine rest" in printed(table_of(found))


def test_a_row_for_which_no_time_was_left() -> None:
    found = measure(row([peer("plain")]), 0.0, Machine({"train": 300.0, "plain": 100.0}), clock=lambda: 1.0)
    assert "the time was over" in printed(table_of(found))
    assert json.dumps(as_values({}, [found]))


def test_json_holds_every_figure() -> None:
    found = measure(row([peer("plain")]), 1e9, Machine({"train": 200.0, "plain": 100.0}))
    values = json.loads(json.dumps(as_values(environment("cpu", "a processor", 1), [found])))
    (one,) = values["rows"]
    assert len(one["programs"]["cnnexp"]) == 2 * one["rounds"]
    (comparison,) = one["comparisons"]
    assert comparison["verdict"] == "reached"
    assert len(comparison["figures"]) == one["rounds"]
    assert comparison["interval"][0] <= comparison["median"] <= comparison["interval"][1]
    assert {"torch", "timm", "pytorch-lightning"} <= set(values["environment"]["versions"])


@pytest.mark.parametrize("name", ["a processor", "a processor with\na name of two lines \x1b[31m" + "x" * 100])
def test_the_heading_is_harmless(name: str) -> None:
    assert "\x1b" not in printed(heading(environment("cpu", name, 1)))


def test_peers_without_a_rate_leave_the_row_undecided() -> None:
    found = measure(row([Peer("plain", (Cell("plain", WORDS),))]), 1e9, Machine({"train": 1.0, "plain": "no"}))
    assert found.verdict == "undecided"
    assert "plain: no" in printed(table_of(found))
