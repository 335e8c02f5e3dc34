from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

from cnnexp.report.comparison import Runs
from cnnexp.report.export import rows_to_csv, to_csv, to_json
from cnnexp.report.groups import group_runs
from cnnexp.report.groups_table import as_rows
from cnnexp.runs.read import Record
from tests.report.conftest import MakeRecord


def test_json_has_one_object_for_each_run_with_the_promised_keys(record: MakeRecord) -> None:
    damaged = Record(Path("outputs/x"), "x", "damaged", problem="run.json: broken")
    run = record(metrics={"test/accuracy": 0.98}, status="stopped", partial=True)
    first, second = json.loads(to_json([run, damaged]))
    assert first == {
        "id": "20261121-093105-lenet5-mnist5k-3f9a",
        "folder": "outputs/20261121-093105-lenet5-mnist5k-3f9a",
        "status": "stopped",
        "partial": True,
        "config": run.config,
        "metrics": {"test/accuracy": 0.98},
        "error": None,
        "created": "2026-11-21T09:31:05+00:00",
        "duration_s": 48.1,
        "tags": [],
        "parameters": None,
        "multiply_adds": None,
        "images_per_second": None,
        "frames_per_second": None,
    }
    assert (second["status"], second["error"], second["config"]) == ("damaged", "run.json: broken", {})


def test_json_is_valid_ascii_whatever_a_record_holds(record: MakeRecord) -> None:
    text = to_json([record(name="\x1b[2J\u202e", lr=math.nan, config={"when": Path("x"), "t": (1, math.inf)})])
    assert text.isascii()
    assert "\x1b" not in text
    config = json.loads(text, parse_constant=lambda word: pytest_fail(word))[0]["config"]
    assert (config["optimizer"]["lr"], config["when"], config["t"]) == (None, "x", [1, None])


def pytest_fail(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_one_flat_row_for_each_run(record: MakeRecord) -> None:
    damaged = Record(Path("outputs/x"), "x", "damaged", problem="run.json: broken")
    first, second = rows(to_csv([record(metrics={"test/accuracy": 0.98, "test/loss": 0.1}, lr=0.5), damaged]))
    assert first["test/accuracy"] == "0.98"
    assert first["optimizer.lr"] == "0.5"
    assert (first["model"], first["data"], first["partial"]) == ("lenet5", "mnist5k", "false")
    assert first["data.mean"] == "[0.7]"
    assert (second["status"], second["error"], second["optimizer.lr"]) == ("damaged", "run.json: broken", "")


def test_csv_columns_stand_in_the_order_fields_options_metrics_settings(record: MakeRecord) -> None:
    runs = [record(), record(metrics={"test/accuracy": 0.98})]
    columns = to_csv(runs).splitlines()[0].split(",")
    order = [columns.index(name) for name in ("id", "status", "model", "test/accuracy", "seed")]
    assert order == sorted(order)
    assert len(columns) == len(set(columns))


def test_groups_and_points_are_rows_in_full(record: MakeRecord) -> None:
    made = [
        record(f"20261121-09310{seed}-a", metrics={"test/accuracy": 1 / (3 + seed)}, seed=seed, lr=0.5)
        for seed in range(2)
    ]
    (row,) = rows(rows_to_csv(as_rows(group_runs(Runs(made), ["lr"]))))
    assert (row["optimizer.lr"], row["n"], row["mean"]) == ("0.5", "2", str((1 / 3 + 1 / 4) / 2))
    assert float(row["low"]) < float(row["mean"]) < float(row["high"])
    (row,) = rows(rows_to_csv(as_rows(group_runs(Runs(made[:1]), ["lr"]))))
    assert (row["sd"], row["low"]) == ("", "")


def test_a_setting_never_takes_the_place_of_a_field(record: MakeRecord) -> None:
    (row,) = rows(to_csv([record(config={"status": "finished well", "model": "odd"}, status="failed")]))
    assert row["status"] == "failed"
    assert row["config.status"] == "finished well"
    assert (row["model"], row["config.model"]) == ("lenet5", "odd")


def test_no_cell_of_a_stranger_is_a_formula_or_breaks_the_line(record: MakeRecord) -> None:
    evil = '=HYPERLINK("http://x")\n\x1b[2J'
    text = to_csv([record(name=evil, config={"@key": "+1"}, error="-2+3", lr=-0.5)])
    assert len(text.splitlines()) == 2
    assert "\x1b" not in text
    (row,) = rows(text)
    assert row["name"] == '\'=HYPERLINK("http://x") ?[2J'
    assert row["'@key"] == "'+1"
    assert row["error"] == "'-2+3"
    assert row["optimizer.lr"] == "-0.5"
