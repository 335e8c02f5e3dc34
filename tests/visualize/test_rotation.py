"""Turned filters: quarter turns by NumPy, responses by correlation, and a pattern with known symmetry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnexp.visualize.png import new_figure
from cnnexp.visualize.rotation import RotationResult, measure, turned, unit
from cnnexp.visualize.rotation_chart import _draw, rotation_image


def bar(side: int = 13) -> Tensor:
    """An upright bar: the same after half a turn."""
    picture = torch.zeros(1, 1, side, side)
    picture[..., 2 : side - 2, side // 2 - 1 : side // 2 + 2] = 1
    return picture


def test_quarter_turns_are_numpy_s() -> None:
    picture = torch.rand(2, 1, 8, 8)
    for quarter in (1, 2, 3):
        expected = np.rot90(picture.numpy(), quarter, axes=(2, 3))
        assert np.allclose(turned(picture, 90 * quarter).numpy(), expected, atol=1e-5)
    assert torch.allclose(turned(picture, 0), picture)


def test_products_of_units_are_correlations() -> None:
    a, b = torch.rand(1, 1, 5, 6), torch.rand(1, 1, 5, 6)
    assert float((unit(a) * unit(b)).sum()) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-5)
    assert not unit(torch.ones(1, 1, 3, 3)).any()


def test_a_single_filter_loses_the_bar_and_the_maximum_finds_it_again() -> None:
    result = measure(bar(), bar(), 1 - bar(), [0.0, 90.0], [-90.0, -45.0, 0.0, 45.0, 90.0])
    left, half_left, upright, half_right, right = result.single
    assert upright == pytest.approx(1, abs=1e-5)
    assert left == pytest.approx(right, abs=1e-4) and left < 0.5
    assert half_left == pytest.approx(half_right, abs=1e-4) and left < half_left < upright
    assert result.largest[0] == pytest.approx(1, abs=1e-4) and result.largest[4] == pytest.approx(1, abs=1e-4)
    assert [one[0] for one in result.winners] == [0, 1]  # turned by −90° the bar is what 90° made of it
    assert [one[2] for one in result.winners] == [1, 0]
    assert result.others_single == pytest.approx(-1, abs=1e-5)  # black on white


def made(single: list[float], largest: list[float], degrees: list[float]) -> RotationResult:
    return RotationResult([0.0, 20.0], degrees, single, largest, [[1.0]], 0.1, 0.2, torch.rand(8, 8), 3)


def test_the_width_of_a_response_is_what_stays_above_a_part_of_that_at_rest() -> None:
    result = made([0.5, 0.9, 1.0, 0.7, 0.9], [1.0] * 5, [-20.0, -10.0, 0.0, 10.0, 20.0])
    assert result.width(result.single, 0.8) == 0  # at +10 it is below, though at −10 it is not
    assert result.width(result.single, 0.6) == 10
    assert result.width(result.largest, 0.9) is None


def test_the_chart_draws_both_responses_and_where_the_filters_stand() -> None:
    result = made([0.5, 1.0, 0.6], [0.9, 1.0, 0.8], [-20.0, 0.0, 20.0])
    axes = new_figure(6, 4).add_subplot()
    _draw(axes, result)
    lines = {str(line.get_label()): list(line.get_ydata()) for line in axes.lines}
    assert lines["largest of 2 turned filters"] == [0.9, 1.0, 0.8]
    assert lines["the upright filter alone"] == [0.5, 1.0, 0.6]
    assert lines["other classes, upright: largest"] == [0.2, 0.2]
    assert rotation_image(result, "title").width > 800
