"""The challenge's winners as lines and as bars."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image

from cnnexp.cli import main
from cnnexp.report.challenge import challenge_text, draw_challenge
from cnnexp.report.imagenet import PEOPLE, WINNERS


def test_the_winners_fit_eighty_columns() -> None:
    lines = challenge_text().splitlines()
    assert max(map(len, lines)) <= 80
    found = {line[:4]: line.split()[-2:] for line in lines if line[:2] == "20" and "second" not in line}
    assert found["2015"] == ["152", "3.6"] and found["2017"] == ["152", "2.3"]
    assert any(line.strip().endswith("5.1") for line in lines), "a person's"


def test_figures_that_are_quoted_for_one_another_are_told_apart() -> None:
    text = challenge_text()
    pairs = (("17.0", "2010"), ("18.2", "one net, validation"), ("16.4", "five nets"), ("15.3", "seven, test"))
    for figure, what in pairs:
        assert [line for line in text.splitlines() if line.startswith(f"  {figure}  ") and what in line], figure
    assert "7.40" in text and "(option C)" in text and "Nair, Hinton 2010" in text


def test_the_chart_has_a_bar_for_each_error_and_each_depth(tmp_path: Path) -> None:
    drawn: list[list[float]] = []

    def bars(axes: object, places: object, values: list[float], *rest: object) -> None:
        drawn.append(values)

    with patch("cnnexp.report.challenge._bars", bars):
        draw_challenge(tmp_path / "bars.png")
    assert drawn == [[one.error for one in WINNERS], [one.layers or 0 for one in WINNERS]]
    assert PEOPLE.error == 5.1


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "challenge.png"
    assert main(["summary", "--ilsvrc", "--plot", str(path)]) == 0
    assert f"{path}: the winners' errors and layers" in capsys.readouterr().out
    with Image.open(path) as picture:
        assert picture.size == (1080, 576)
        counts = {colour: count for count, colour in picture.convert("RGB").getcolors(1 << 20) or []}
    # areas are as the sums of what they stand for, each to its own scale of which 32 and 192 are the whole height
    errors, layers = sum(one.error for one in WINNERS) / 32, sum(one.layers or 0 for one in WINNERS) / 192
    assert counts[(0, 114, 178)] / counts[(230, 159, 0)] == pytest.approx(errors / layers, rel=0.03)
