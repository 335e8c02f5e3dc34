from __future__ import annotations

import math

import pytest

from cnnexp.report.notation import count_figure, duration_figure, metric_figure, setting_figure


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("test/accuracy", 0.98125, "0.9812"),
        ("test/accuracy", 1, "1.0000"),
        ("test/psnr", 19.314, "19.31"),
        ("test/mse", 0.0121234, "0.01212"),
        ("test/loss", 2.30259, "2.303"),
        ("test/loss", math.nan, "nan"),
        ("test/loss", math.inf, "inf"),
        ("test/miou", None, "-"),
        ("test/miou", "0.5", "-"),
    ],
)
def test_a_metric_has_the_digits_that_mean_something(name: str, value: object, expected: str) -> None:
    assert metric_figure(name, value) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.84, "0.8 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (751, "12 min 31 s"),
        (7500, "2 h 05 min"),
        (86400 + 3 * 3600, "1 d 03 h"),
        (None, "-"),
        (math.nan, "-"),
        (-1, "-"),
    ],
)
def test_durations(seconds: float | None, expected: str) -> None:
    assert duration_figure(seconds) == expected


def test_counts_and_settings() -> None:
    assert count_figure(61706) == "61,706"
    assert count_figure(None) == "-"
    assert [setting_figure(value) for value in (None, True, 0.0005, 1e-05, [28, 28], "sgd")] == [
        "null",
        "true",
        "0.0005",
        "1e-05",
        "[28,28]",
        "sgd",
    ]
