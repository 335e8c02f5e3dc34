"""The chart of scores over a setting: every line in its colour, and bars that leave room for the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cnnexp.report.score_over import Line
from cnnexp.report.score_over_chart import draw_over, limits

LINES = [
    Line("model=lenet5", ((0.02, (0.5, 0.6, 0.7)), (1.0, (0.9, 0.9, 0.9)))),
    Line("model=hog_linear, model.cell=$7$", ((0.02, (0.8,)), (1.0, (0.85,)))),
]


def test_every_line_has_its_own_colour(tmp_path: Path) -> None:
    path = draw_over(LINES, "data.fraction", "test/accuracy", tmp_path / "new" / "over.png")
    colours = {colour for _, colour in Image.open(path).convert("RGB").getcolors(1 << 20) or []}
    assert {(0, 114, 178), (213, 94, 0)} <= colours
    assert (0, 158, 115) not in colours


def test_bars_are_within_but_those_of_two_seeds_do_not_rule_the_axis() -> None:
    three = [Line("", ((1.0, (0.5, 0.6, 0.7)), (2.0, (0.0, 0.0, 0.0))))]
    # Student's t of 2 degrees is 4.3027; sd 0.1, so half of the interval is 0.24842 and its end 0.84842
    assert limits(three) == (pytest.approx(0 - 0.04 * 0.84842, abs=1e-4), pytest.approx(1.04 * 0.84842, abs=1e-4))
    two = [Line("", ((1.0, (0.5, 0.7)),))]  # ± 1.27 about 0.6
    assert limits(two) == (pytest.approx(0.4 - 0.04 * 0.4), pytest.approx(0.8 + 0.04 * 0.4))
    assert limits([Line("", ((1.0, (0.5, 0.5)),))]) == (pytest.approx(0.49), pytest.approx(0.51))
