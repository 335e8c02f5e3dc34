"""Backpropagation by formulas: against autograd, against finite differences, and by hand."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from cnnexp.visualize.backprop import (
    ACTIVATIONS,
    ConvExample,
    DenseExample,
    Dropout,
    autograd_conv,
    autograd_dense,
    conv_example,
    count_values,
    dense_example,
    drawn_dropout,
    largest_difference,
    loss_after_step,
    work_conv,
    work_dense,
)
from cnnexp.visualize.backprop_page import conv_page, dense_page
from cnnexp.visualize.backprop_text import conv_lines, dense_lines

EVERY = pytest.mark.parametrize("name", ACTIVATIONS)
SEEDS = pytest.mark.parametrize("seed", range(8))


@EVERY
@SEEDS
@pytest.mark.parametrize("label", [0, 1])
def test_every_value_of_the_net_is_autograds(name: str, seed: int, label: int) -> None:
    example = dense_example(seed, label)
    ours, theirs = work_dense(example, ACTIVATIONS[name]), autograd_dense(example, ACTIVATIONS[name])
    assert largest_difference(ours, theirs) < 1e-14
    # 9 of z, 8 of a, ŷ, L; 41 of the parameters, 9 of dz, 8 of da, 3 of dx
    assert count_values(ours) == 9 + 8 + 2 + 41 + 9 + 8 + 3
    assert example.parameters == 41


@EVERY
@SEEDS
@pytest.mark.parametrize("p", [0.5, 0.2])
def test_every_value_of_a_thinned_net_is_autograds(name: str, seed: int, p: float) -> None:
    example = replace(dense_example(seed, 1), dropout=drawn_dropout(seed, p))
    ours, theirs = work_dense(example, ACTIVATIONS[name]), autograd_dense(example, ACTIVATIONS[name])
    assert largest_difference(ours, theirs) < 1e-14
    assert count_values(ours) == 80 + 8 + 8  # h and dh beside those of the whole net


@EVERY
def test_a_dropped_unit_gets_no_gradient_and_hands_nothing_on(name: str) -> None:
    dropout = Dropout(0.5, (np.array([1.0, 0, 1, 1]), np.array([0.0, 1, 1, 0])))
    values = work_dense(replace(dense_example(0, 1), dropout=dropout), ACTIVATIONS[name])
    assert values["h1"][1] == 0 and (values["h2"][[0, 3]] == 0).all()
    assert values["h1"][0] == 2 * values["a1"][0], "what stays is multiplied by 1 / (1 − 0.5)"
    for layer, gone in ((1, [1]), (2, [0, 3])):
        for own in ("da", "dz", "db", "dW"):
            assert (values[f"{own}{layer}"][gone] == 0).all(), own
        assert (values[f"dW{layer + 1}"][:, gone] == 0).all(), "the weights that it feeds"
    assert (values["dh2"] != 0).all(), "the gradient arrives at a dropped unit, and stops there"


def test_thinned_the_net_is_the_smaller_net_with_larger_weights() -> None:
    """By hand: one path, ŷ = σ(2·3·(4/3)² − 6) with p = ¼, where the kept units' outputs grow by 4/3 each."""
    first, second, third = np.zeros((4, 3)), np.zeros((4, 4)), np.zeros((1, 4))
    first[0, 0], first[1, 0], second[0, :2], third[0, 0] = 1, 5, (1, 1), 2
    biases = (np.zeros(4), np.zeros(4), np.array([-6.0]))
    dropout = Dropout(0.25, (np.array([1.0, 0, 1, 1]), np.array([1.0, 1, 1, 0])))
    example = DenseExample(np.array([3.0, 5.0, 7.0]), 1.0, (first, second, third), biases, dropout)
    values = work_dense(example, ACTIVATIONS["relu"])
    assert values["z3"][0] == pytest.approx(2 * 3 * 16 / 9 - 6)
    slope = 1 / (1 + math.exp(-(2 * 3 * 16 / 9 - 6))) - 1
    assert values["dW1"][:, 0] == pytest.approx([3 * 2 * 16 / 9 * slope, 0, 0, 0])


@pytest.mark.parametrize(("p", "dropped"), [(0.5, 2), (0.25, 1), (0.75, 3), (0.01, 1), (0.99, 3)])
def test_units_are_drawn_by_the_seed_and_as_many_as_fit(p: float, dropped: int) -> None:
    drawn = [drawn_dropout(seed, p) for seed in range(20)]
    for one in drawn:
        assert [int((mask == 0).sum()) for mask in one.masks] == [dropped, dropped]
    assert len({tuple(one.masks[0]) for one in drawn}) > 1
    assert [mask.tolist() for mask in drawn_dropout(3, p).masks] == [mask.tolist() for mask in drawn[3].masks]


@EVERY
@SEEDS
def test_every_value_of_the_convolution_is_autograds(name: str, seed: int) -> None:
    example = conv_example(seed)
    ours, theirs = work_conv(example, ACTIVATIONS[name]), autograd_conv(example, ACTIVATIONS[name])
    assert largest_difference(ours, theirs) < 1e-14
    assert count_values(ours) == 4 * 4 + 1 + 9 + 1 + 16


def test_a_gradient_is_what_the_loss_does_when_a_weight_moves() -> None:
    """Without autograd: central differences of the forward pass."""
    example, activation, step = dense_example(0, 1), ACTIVATIONS["tanh"], 1e-6
    values = work_dense(example, activation)
    for layer in range(3):
        for place in np.ndindex(example.weights[layer].shape):
            losses = []
            for sign in (1, -1):
                weights = [one.copy() for one in example.weights]
                weights[layer][place] += sign * step
                moved = replace(example, weights=tuple(weights))
                losses.append(work_dense(moved, activation)["loss"][0])
            assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(values[f"dW{layer + 1}"][place], abs=1e-8)


def test_a_net_small_enough_for_the_head() -> None:
    """All weights 0 but one path: ŷ = σ(2·max(0, 1·3)) and so on."""
    first, second, third = np.zeros((4, 3)), np.zeros((4, 4)), np.zeros((1, 4))
    first[0, 0], second[0, 0], third[0, 0] = 1, 1, 2
    biases = (np.zeros(4), np.zeros(4), np.array([-6.0]))
    example = DenseExample(np.array([3.0, 5.0, 7.0]), 1.0, (first, second, third), biases)
    values = work_dense(example, ACTIVATIONS["relu"])
    assert values["z3"][0] == 0
    assert values["loss"][0] == pytest.approx(math.log(2))
    assert values["dz3"].tolist() == [-0.5]
    assert values["dW3"].tolist() == [[-1.5, 0, 0, 0]]
    assert values["da2"].tolist() == [-1, 0, 0, 0]
    assert values["dW1"][0].tolist() == [-3, -5, -7]
    assert values["dx"].tolist() == [-1, 0, 0]


def test_a_convolution_small_enough_for_the_head() -> None:
    """A kernel of ones over a picture of ones: z = 9, the target 8, so dz = 1 everywhere."""
    example = ConvExample(np.ones((4, 4)), np.ones((3, 3)), 0.0, np.full((2, 2), 8.0))
    values = work_conv(example, ACTIVATIONS["relu"])
    assert values["loss"].tolist() == [2]
    assert (values["dw"] == 4).all() and values["db"].tolist() == [4]
    assert values["dx"].tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


@EVERY
def test_a_small_step_down_the_gradient_lowers_the_loss_by_its_square(name: str) -> None:
    example, lr = dense_example(1, 0), 1e-5
    values = work_dense(example, ACTIVATIONS[name])
    square = sum(float((values[f"d{kind}{n}"] ** 2).sum()) for kind in "Wb" for n in (1, 2, 3))
    fall = float(values["loss"][0]) - loss_after_step(example, ACTIVATIONS[name], lr)
    assert fall == pytest.approx(lr * square, rel=1e-3)


def test_examples_can_be_followed_with_a_pocket_calculator() -> None:
    example, conv = dense_example(5, 1), conv_example(5)
    for values in (example.x, *example.weights, *example.biases, conv.w):
        assert np.allclose(values * 10, np.round(values * 10)) and (values != 0).all()
    assert dense_example(6, 1).x.tolist() != example.x.tolist()


def test_values_of_other_names_are_not_compared() -> None:
    with pytest.raises(ValueError, match="dz"):
        largest_difference({"z": np.zeros(1), "dz": np.zeros(1)}, {"z": np.zeros(1)})


@EVERY
@SEEDS
@pytest.mark.parametrize("p", [None, 0.3])
def test_the_text_fits_a_terminal_and_its_sums_are_right(name: str, seed: int, p: float | None) -> None:
    """Each sum of products is worked once more from the figures that are printed."""
    activation = ACTIVATIONS[name]
    example = replace(dense_example(seed, 1), dropout=None if p is None else drawn_dropout(seed, p))
    lines = dense_lines(example, activation, 1e-16, (0.5, 0.1))
    lines += conv_lines(conv_example(seed), activation, 1e-16)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines).replace("\n   ", " ")
    sums = [line for line in text.splitlines() if re.match(r"(z1|z2|z|da1|dh1|dw|dx)\[\d", line)]
    assert len(sums) == 4 + 4 + 4 + 4 + 9 + 16 + 3
    for line in sums:
        _, terms, result = line.split(" = ")
        worked = eval(terms.replace("·", "*").replace("−", "-"), {"__builtins__": {}})
        assert worked == pytest.approx(float(result.replace("−", "-")), abs=5e-4), line


def test_all_gradients_of_all_parameters_are_in_the_text() -> None:
    example = dense_example(0, 1)
    values = work_dense(example, ACTIVATIONS["sigmoid"])
    text = "\n".join(dense_lines(example, ACTIVATIONS["sigmoid"], 1e-16, (0.5, 0.1)))
    for name in ("dW1", "dW2", "dW3", "db1", "db2", "db3"):
        for value in values[name].ravel():
            assert f"{value:.4f}".replace("-", "−") in text, name
    assert "41 parameters" in text and "1e-16" in text


def test_the_text_says_which_units_are_gone_and_what_the_whole_net_says() -> None:
    dropout = Dropout(0.2, (np.array([1.0, 0, 1, 1]), np.ones(4)))
    example = replace(dense_example(0, 1), dropout=dropout)
    lines = dense_lines(example, ACTIVATIONS["sigmoid"], 1e-16, (0.5, 0.1))
    assert "dropout: h = m·a / (1 − p) goes on, 1 / (1 − 0.2) = 1.2500" in lines
    assert "m1 = 1  0  1  1   dropped: 2" in lines and "m2 = 1  1  1  1   none is dropped" in lines
    whole = work_dense(dense_example(0, 1), ACTIVATIONS["sigmoid"])["y_hat"][0]
    assert lines[-1] == f"In evaluation no unit is dropped and nothing multiplied: ŷ = {whole:.4f}."


def test_the_pages_are_drawn() -> None:
    net = dense_page(dense_example(0, 1), ACTIVATIONS["sigmoid"], "net")
    thinned = dense_page(replace(dense_example(0, 1), dropout=drawn_dropout(0, 0.5)), ACTIVATIONS["sigmoid"], "net")
    conv = conv_page(conv_example(0), ACTIVATIONS["sigmoid"], "conv")
    for image, count in ((net, 100), (thinned, 100), (conv, 30)):
        colours = image.convert("RGB").getcolors(1 << 24)
        assert colours is not None and len(colours) > count
    assert max(net.width, thinned.width) < 1400 and conv.width < 1400
