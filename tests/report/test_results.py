from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from cnnexp.report.results import result_table

SUMMARY: dict[str, Any] = {
    "metrics": {"test/accuracy": 0.98125, "test/loss": 0.0587, "val/accuracy": 0.984, "train/loss": 0.0312},
    "best_epoch": 7,
    "epochs": 10,
    "steps": 320,
    "parameters": 61706,
    "images_per_second": 8213.4,
    "per_class": {"test/accuracy": {"zero": 0.99, "one": 0.91, "two": None}},
}


def printed(summary: dict[str, Any], width: int = 80, colour: bool = False, **arguments: Any) -> str:
    stream = io.StringIO()
    system = "standard" if colour else None
    console = Console(file=stream, width=width, highlight=False, force_terminal=colour, color_system=system)
    console.print(result_table(summary, **arguments))
    return stream.getvalue()


def test_metrics_stand_by_stage_and_the_costs_below() -> None:
    text = printed(SUMMARY, title="run-1", duration_s=751, folder="outputs/run-1")
    rows = [line.split() for line in text.splitlines()]
    assert rows[0] == ["run-1"]
    assert ["metric", "train", "val", "test"] in rows
    assert ["accuracy", "-", "0.9840", "0.9812"] in rows
    assert ["loss", "0.0312", "-", "0.0587"] in rows
    for line in ("epochs 10, the best is 7", "parameters 61,706", "time 12 min 31 s", "images/s 8,213"):
        assert line.split() in rows
    assert ["folder", "outputs/run-1"] in rows
    assert max(map(len, text.splitlines())) <= 80


def test_each_class_is_shown_and_the_weakest_stands_out() -> None:
    text = printed(SUMMARY, colour=True)
    assert "\x1b[33m  0.9100" in text
    assert "\x1b[33m  0.9900" not in text
    assert ["two", "-"] in [line.split() for line in printed(SUMMARY).splitlines()]


def test_kinds_of_samples_have_a_table_of_their_own() -> None:
    kinds = {"test/accuracy": {"how many": 0.75, "is there": 0.5}, "test/shuffled_accuracy": {"how many": 0.25}}
    rows = [line.split() for line in printed({**SUMMARY, "per_kind": kinds}).splitlines()]
    assert ["kind", "accuracy", "shuffled_accuracy"] in rows and ["class", "accuracy"] in rows
    assert ["how", "many", "0.7500", "0.2500"] in rows and ["is", "there", "0.5000", "-"] in rows
    weakest = printed({"per_kind": kinds}, colour=True)
    assert "\x1b[33m  0.5000" in weakest and "\x1b[33m  0.7500" not in weakest


def test_twenty_classes_take_ten_lines_and_all_are_there() -> None:
    scores = {f"class{place}": place / 20 for place in range(20)}
    text = printed({"per_class": {"test/accuracy": scores}})
    words = text.split()
    assert all(label in words and f"{score:.4f}" in words for label, score in scores.items())
    assert len(text.splitlines()) == 12


def test_more_than_twenty_classes_are_left_to_the_record() -> None:
    scores = {f"class{place}": 0.5 for place in range(21)}
    assert "class3" not in printed({**SUMMARY, "per_class": {"test/accuracy": scores}})


def test_a_partial_result_says_so() -> None:
    assert printed({**SUMMARY, "partial": True}, status="stopped").startswith("stopped, partial")
    assert "partial" not in printed(SUMMARY)


def test_an_empty_summary_prints_nothing() -> None:
    assert printed({}).strip() == ""


def test_markup_in_names_is_only_text() -> None:
    evil = "[bold]x[/bold]\x1b[2J"
    summary = {"metrics": {f"test/{evil}": 1.0}, "per_class": {f"test/{evil}": {evil: 0.5}}}
    text = printed(summary, title=evil, folder=evil)
    assert text.count("[bold]x[/bold]?[2J") == 5
    assert "\x1b" not in text
