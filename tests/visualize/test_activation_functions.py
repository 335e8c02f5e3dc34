"""Activations by hand: derivatives at 0, the largest, and where they are flat."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest

from cnnexp.models.activations import Activation
from cnnexp.visualize.activation_chart import _draw, activations_image
from cnnexp.visualize.activation_functions import DESCRIPTIONS, curve, measure, names
from cnnexp.visualize.png import new_figure


def test_every_activation_of_the_nets_is_described() -> None:
    assert set(names()) == set(DESCRIPTIONS) == set(get_args(Activation))
    assert len(names()) >= 7


X = np.array([-3.0, -0.7, 0.4, 2.0])
SIGMOID = 1 / (1 + np.exp(-X))
BY_HAND = {
    "relu": (np.maximum(X, 0), X > 0),
    "tanh": (np.sinh(X) / np.cosh(X), 1 / np.cosh(X) ** 2),
    "sigmoid": (SIGMOID, SIGMOID * (1 - SIGMOID)),
    "leaky_relu": (np.where(X > 0, X, 0.1 * X), np.where(X > 0, 1, 0.1)),
    "prelu": (np.where(X > 0, X, 0.25 * X), np.where(X > 0, 1, 0.25)),
    "elu": (np.where(X > 0, X, np.exp(X) - 1), np.where(X > 0, 1, np.exp(X))),
    "maxout": (np.abs(X), np.sign(X)),
}


@pytest.mark.parametrize("name", names())
def test_values_and_derivatives_are_those_of_the_formulas(name: Activation) -> None:
    values, slopes = curve(name, X, leaky_slope=0.1)
    assert np.allclose(values, BY_HAND[name][0]) and np.allclose(slopes, BY_HAND[name][1])


@pytest.mark.parametrize("name", names())
def test_derivatives_are_the_differences_of_the_values(name: Activation) -> None:
    step = 1e-6
    ahead, behind = (curve(name, X + sign * step)[0] for sign in (1, -1))
    assert np.allclose(curve(name, X)[1], (ahead - behind) / (2 * step), atol=1e-8)


# left of 0, at 0, right of 0, the largest; from where on f' is 1 % of it:
# tanh 1/cosh² = 0.01, sigmoid s(1 − s) = 0.0025, eˣ = 0.01
FIGURES = {
    "relu": (0, 0, 1, 1, 0.0, None),
    "tanh": (1, 1, 1, 1, -math.acosh(10), math.acosh(10)),
    "sigmoid": (
        *(0.25, 0.25, 0.25, 0.25),
        math.log((1 - 0.99**0.5) / (1 + 0.99**0.5)),
        math.log((1 + 0.99**0.5) / (1 - 0.99**0.5)),
    ),
    "leaky_relu": (0.01, 0.01, 1, 1, None, None),
    "prelu": (0.25, 0.25, 1, 1, None, None),
    "elu": (1, 1, 1, 1, math.log(0.01), None),
    "maxout": (-1, 0, 1, 1, None, None),
}


@pytest.mark.parametrize("name", names())
def test_figures(name: Activation) -> None:
    found = measure(name, 5)
    left, at_zero, right, largest, flat_left, flat_right = FIGURES[name]
    assert (found.left, found.at_zero, found.right, found.largest) == pytest.approx((left, at_zero, right, largest))
    for measured, expected in ((found.flat_left, flat_left), (found.flat_right, flat_right)):
        assert measured == (None if expected is None else pytest.approx(expected, abs=0.002))


def test_the_slope_is_in_the_formula() -> None:
    assert measure("leaky_relu", 5, 0.1).description.formula == "x, below zero s·x; s = 0.1"


def test_a_panel_has_the_curve_and_its_derivative_with_a_gap_at_a_jump() -> None:
    axes = new_figure(4, 4).add_subplot()
    _draw(axes, measure("relu", 7))
    lines = {str(line.get_label()): np.array(line.get_ydata(), float) for line in axes.lines}
    assert np.allclose(lines["f(x)"], np.maximum(np.linspace(-7, 7, 801), 0))
    assert np.isnan(lines["f′(x)"][400]) and np.nansum(lines["f′(x)"]) == 400
    assert [patch.get_x() for patch in axes.patches] == [-7]  # flat below 0, up to there
    assert activations_image([measure("relu", 5)]).width > 300
