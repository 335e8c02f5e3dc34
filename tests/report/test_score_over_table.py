"""The table of scores over a setting, by hand: t of 2 degrees of freedom is 4.3027."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cnnexp.report.score_over import Line
from cnnexp.report.score_over_table import ScoreOverTable, as_rows, as_values

LINES = [
    Line("model=lenet5", ((0.02, (0.5, 0.6, 0.7)), (1.0, (0.9, 0.91, 0.92)))),
    Line("model=hog_linear", ((0.02, (0.8,)),)),
]


def printed(lines: list[Line], width: int = 80) -> list[str]:
    file = io.StringIO()
    table = ScoreOverTable(lines, "data.fraction", "test/accuracy")
    Console(file=file, width=width, color_system=None, highlight=False).print(table)
    return file.getvalue().splitlines()


def test_means_stand_beside_each_other_with_half_of_their_interval() -> None:
    heading, columns, _, first, last, note = printed(LINES)
    assert heading == "test/accuracy (higher is better) over data.fraction"
    assert columns.split() == ["data.fraction", "model=lenet5", "model=hog_linear"]
    assert first.split() == ["0.02", "0.6000", "±", "0.2484", "0.8000"]  # 4.3027 · 0.1 / √3; one run has no interval
    assert last.split() == ["1", "0.9100", "±", "0.0248", "-"]
    assert note == "means over 1 to 3 seeds ± half the 95 % interval (Student's t)"


def test_single_runs_need_no_note_and_runs_of_one_kind_are_headed_by_the_metric() -> None:
    lines = printed([Line("", ((1.0, (0.5,)), (2.0, (0.25,))))])
    assert [line.split() for line in lines[1:] if "─" not in line] == [
        ["data.fraction", "test/accuracy"],
        ["1", "0.5000"],
        ["2", "0.2500"],
    ]


def test_columns_that_find_no_room_stand_below_with_the_values_beside_them_again() -> None:
    many = [Line(f"model.width={width}", ((0.5, (width / 100,)), (1.0, (width / 50,)))) for width in (10, 20, 30, 40)]
    lines = printed(many, width=56)
    assert max(map(len, lines)) <= 56
    heads = [line.split() for line in lines if line.lstrip().startswith("data.fraction")]
    assert heads == [
        ["data.fraction", "model.width=10", "model.width=20"],
        ["data.fraction", "model.width=30", "model.width=40"],
    ]
    assert [line.split() for line in lines if line.strip().startswith("0.5")] == [
        ["0.5", "0.1000", "0.2000"],
        ["0.5", "0.3000", "0.4000"],
    ]


def test_for_other_programs_everything_is_there() -> None:
    rows = as_rows(LINES, "data.fraction")
    assert [(row["runs"], row["data.fraction"], row["n"]) for row in rows] == [
        ("model=lenet5", 0.02, 3),
        ("model=lenet5", 1.0, 3),
        ("model=hog_linear", 0.02, 1),
    ]
    assert rows[2]["low"] is None and rows[0]["mean"] == pytest.approx(0.6)
    values = as_values(LINES, "data.fraction", "test/accuracy")
    assert (values["metric"], values["over"]) == ("test/accuracy", "data.fraction")
    assert values["lines"][0]["points"][1]["scores"] == [0.9, 0.91, 0.92]
