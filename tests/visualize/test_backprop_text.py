"""Lines that are not sums of products: each is worked once more from the figures that are printed."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
import pytest

from cnnexp.visualize.backprop import ACTIVATIONS, conv_example, dense_example, work_conv, work_dense
from cnnexp.visualize.backprop_text import WIDTH, conv_lines, dense_lines

EVERY = pytest.mark.parametrize("name", ACTIVATIONS)


def dense(name: str = "sigmoid", label: int = 1, seed: int = 0, stepped: tuple[float, float] = (0.5, 0.1)) -> list[str]:
    return dense_lines(dense_example(seed, label), ACTIVATIONS[name], 3e-17, stepped)


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.mark.parametrize("label", [0, 1])
def test_the_loss_is_of_the_label(label: int) -> None:
    (line,) = [line for line in dense(label=label) if line.startswith("L = −ln(")]
    inner, result = re.fullmatch(r"L = −ln\((.*)\) = (.*)", line).groups()  # type: ignore[union-attr]
    assert inner.startswith("1 − ") == (label == 0)
    guess = number(inner.removeprefix("1 − "))
    assert -math.log(guess if label else 1 - guess) == pytest.approx(number(result), abs=1e-3)


@pytest.mark.parametrize("label", [0, 1])
def test_the_first_step_back_is_the_guess_less_the_label(label: int) -> None:
    (line,) = [line for line in dense(label=label) if re.match(r"dz3 = [\d.]+ − \d = ", line)]
    guess, given, result = map(number, re.fullmatch(r"dz3 = (\S+) − (\S+) = (\S+)", line).groups())  # type: ignore[union-attr]
    assert given == label and guess - given == pytest.approx(result, abs=2e-4)
    assert (result > 0) == (label == 0)


@EVERY
def test_behind_an_activation_each_product_is_right(name: str) -> None:
    lines = [line for line in dense(name) if re.match(r"dz[12]\[\d\] = ", line)]
    assert len(lines) == 8
    for line in lines:
        one, other, result = map(number, re.fullmatch(r"\S+ = (\S+) · (\S+) = (\S+)", line).groups())  # type: ignore[union-attr]
        assert one * other == pytest.approx(result, abs=2e-4)


@EVERY
def test_the_worked_entry_of_each_matrix_of_gradients_is_right(name: str) -> None:
    lines = [line for line in dense(name) if ", so dW" in line]
    assert [line[:3] for line in lines] == ["dW3", "dW2", "dW1"], "from the last layer to the first"
    for line in lines:
        one, other, result = map(number, re.search(r"\[1,1\] = (\S+) · (\S+) = (\S+)$", line).groups())  # type: ignore[union-attr]
        assert one * other == pytest.approx(result, abs=2e-4)


def test_a_matrix_is_printed_row_by_row_with_its_columns_under_each_other() -> None:
    lines = dense()
    begin = next(place for place, line in enumerate(lines) if line.startswith("dW1 = ") and "so" not in line)
    values = work_dense(dense_example(0, 1), ACTIVATIONS["sigmoid"])["dW1"]
    rows = lines[begin : begin + 4]
    found = [[number(word) for word in row.removeprefix("dW1 =").split()] for row in rows]
    assert np.allclose(found, values, atol=6e-5)
    assert len({len(row) for row in rows}) == 1


@EVERY
@pytest.mark.parametrize("seed", range(3))
def test_every_line_fits_and_is_broken_at_ordinary_blanks(name: str, seed: int) -> None:
    lines = dense(name, seed=seed) + conv_lines(conv_example(seed), ACTIVATIONS[name], 1e-16)
    assert max(map(len, lines)) <= WIDTH
    assert not any("\u00a0" in line for line in lines)
    for before, line in pairwise(lines):
        if before and line and set(line) == {"─"}:
            assert len(line) == len(before)


def test_the_check_says_what_was_found() -> None:
    *_, agrees, step = dense(stepped=(0.25, 0.0625))
    assert agrees == "Autograd agrees: of all 80 values the largest difference is 3e-17."
    before = work_dense(dense_example(0, 1), ACTIVATIONS["sigmoid"])["loss"][0]
    assert step == f"One step W − 0.25·dW, b − 0.25·db takes the loss from {before:.4f} to 0.0625."


def test_the_numbers_of_the_convolution_that_are_given_and_found() -> None:
    example = conv_example(1)
    lines = conv_lines(example, ACTIVATIONS["tanh"], 1e-16)
    values = work_conv(example, ACTIVATIONS["tanh"])
    shown = {line.split(" = ")[0]: line.split(" = ")[1] for line in lines if re.match(r"(b|L) = ", line)}
    assert number(shown["b"]) == pytest.approx(example.b)
    assert number(shown["L"]) == pytest.approx(float(values["loss"][0]), abs=6e-5)
    (db,) = [line for line in lines if line.startswith("db = ")]
    assert number(db.split(" = ")[-1]) == pytest.approx(float(values["dz"].sum()), abs=6e-5)
