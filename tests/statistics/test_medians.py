"""The interval against the published table of the sign test, and what it promises against simulated noise."""

from __future__ import annotations

import math
import random

import pytest

from cnnexp.statistics.medians import LOOKS, MISS, Interval, median, median_interval, spread, verdict


@pytest.mark.parametrize(
    ("count", "place"), [(5, 0), (6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (25, 8), (30, 10)]
)
def test_places_of_95_percent_are_those_of_the_table_of_the_sign_test(count: int, place: int) -> None:
    values = [float(value) for value in range(1, count + 1)]
    random.Random(0).shuffle(values)
    expected = Interval(place, count + 1 - place) if place else Interval(-math.inf, math.inf)
    assert median_interval(values, miss=0.025) == expected


def test_the_first_look_can_decide() -> None:
    assert median_interval([1.0] * LOOKS[0]) == Interval(1.0, 1.0)
    assert math.isinf(median_interval([1.0] * (LOOKS[0] - 1)).low)


@pytest.mark.parametrize("count", LOOKS)
def test_the_median_is_missed_no_more_often_than_promised(count: int) -> None:
    """Of skewed noise, on both sides; 4,000 draws leave a standard deviation of 0.002 at most."""
    draw = random.Random(count)
    below = above = 0
    for _ in range(4000):
        interval = median_interval([draw.lognormvariate(0, 1) for _ in range(count)])
        below += interval.low > 1
        above += interval.high < 1
    assert below / 4000 <= MISS + 0.006
    assert above / 4000 <= MISS + 0.006


@pytest.mark.parametrize("at_most", [False, True])
def test_repeating_until_it_decides_does_not_make_a_wrong_verdict_likely(at_most: bool) -> None:
    """A program compared with itself, target 1: no verdict of either kind in more than 5 % of the cases."""
    draw = random.Random(1)
    found = [_verdict_after_looks(lambda: draw.lognormvariate(0, 0.1), 1.0, at_most) for _ in range(2000)]
    assert found.count("reached") / 2000 <= 0.05 + 0.01
    assert found.count("missed") / 2000 <= 0.05 + 0.01
    assert found.count("undecided") > 1700


@pytest.mark.parametrize(("truth", "expected"), [(1.4, "reached"), (1.2, "missed")])
def test_a_clear_difference_is_decided(truth: float, expected: str) -> None:
    draw = random.Random(2)
    found = [_verdict_after_looks(lambda: truth * draw.lognormvariate(0, 0.03), 1.3, False) for _ in range(200)]
    assert found.count(expected) >= 198


def _verdict_after_looks(draw, target: float, at_most: bool) -> str:  # type: ignore[no-untyped-def]
    values: list[float] = []
    for look in LOOKS:
        values += [draw() for _ in range(look - len(values))]
        word = verdict(median_interval(values), target, at_most)
        if word != "undecided":
            return word
    return "undecided"


@pytest.mark.parametrize(
    ("low", "high", "target", "at_most", "expected"),
    [
        (1.3, 1.5, 1.3, False, "reached"),
        (1.2, 1.5, 1.3, False, "undecided"),
        (1.1, 1.3, 1.3, False, "undecided"),
        (1.1, 1.2, 1.3, False, "missed"),
        (200.0, 350.0, 350.0, True, "reached"),
        (200.0, 360.0, 350.0, True, "undecided"),
        (351.0, 360.0, 350.0, True, "missed"),
        (-math.inf, math.inf, 1.3, False, "undecided"),
    ],
)
def test_verdict(low: float, high: float, target: float, at_most: bool, expected: str) -> None:
    assert verdict(Interval(low, high), target, at_most) == expected


def test_median_and_spread_by_hand() -> None:
    assert (median([3.0, 1.0, 2.0]), median([4.0, 1.0, 2.0, 3.0])) == (2.0, 2.5)
    assert spread([8.0, 10.0, 12.0]) == pytest.approx(0.4)
