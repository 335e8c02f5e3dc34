from __future__ import annotations

import pytest

from cnnexp.report.plain_text import printable, spreadsheet_cell


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("σ² ≥ 1", "σ² ≥ 1"),
        ("a\x1b[31mb", "a?[31mb"),
        ("a\x9b31mb", "a?31mb"),
        ("two\nlines\r\n", "two lines  "),
        ("right\u202eto left", "right?to left"),
        ("\ud800", "?"),
        (12, "12"),
    ],
)
def test_nothing_that_a_terminal_acts_on_remains(text: object, expected: str) -> None:
    assert printable(text) == expected


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1+2", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1"])
def test_a_formula_becomes_text(formula: str) -> None:
    assert spreadsheet_cell(formula).startswith("'")


@pytest.mark.parametrize("value", [-0.5, 3, True, None, "lenet5", "a=b"])
def test_numbers_and_plain_words_stay_as_they_are(value: object) -> None:
    assert spreadsheet_cell(value) is value or spreadsheet_cell(value) == value
