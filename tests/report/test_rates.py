"""The picture of learning rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.report.rates import _course, _thinned, draw_rates


def test_each_schedule_has_its_colour(tmp_path: Path) -> None:
    curves = {"cosine": [0.1, 0.05, 0.0], "constant": [0.1] * 3}
    with Image.open(draw_rates(curves, 1, tmp_path / "rates.png", "3 epochs")) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert ((pixels == colour).all(-1)).sum() > 200


@pytest.mark.parametrize(
    ("rates", "course"),
    [
        ([0.1, 0.05, 0.0], "0.1 → 0"),
        ([0.01, 0.1, 0.001], "0.01 → 0.1 → 0.001"),
        ([0.1, 0.1], "0.1"),
    ],
)
def test_the_course_in_numbers(rates: list[float], course: str) -> None:
    assert _course(rates) == course


def test_a_long_run_is_thinned() -> None:
    assert list(_thinned(5)) == [0, 1, 2, 3, 4]
    assert len(_thinned(1_000_000)) <= 4000
