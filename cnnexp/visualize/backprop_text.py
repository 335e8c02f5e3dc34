"""Backpropagation worked by hand, as text: each formula with its numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cnnexp.visualize.backprop import (
    KERNEL_SIDE,
    Activation,
    Array,
    ConvExample,
    DenseExample,
    Values,
    count_values,
    work_conv,
    work_dense,
)
from cnnexp.visualize.matrix import decimal

WIDTH = 78
_HARD = "\u00a0"  # a blank at which no line is broken


def dense_lines(
    example: DenseExample, activation: Activation, difference: float, stepped: tuple[float, float]
) -> list[str]:
    """The 3-4-4-1 net, forward and backward.

    Args:
        difference: largest one from autograd's values. stepped: a learning rate, and the loss after a step with it.
    """
    values = work_dense(example, activation)
    last = len(example.weights)
    lines = [
        *_heading(f"A net of 3, 4, 4 and 1 units: {example.parameters} parameters"),
        "3·4 + 4 in the first layer, 4·4 + 4 in the second, 4·1 + 1 in the third.",
        f"hidden units: a = {activation.formula}; the last: ŷ = 1 / (1 + exp(−z))",
        *_dropped(example),
        *_given("x", example.x),
        *_given("y", np.array([example.y])),
    ]
    for layer in range(1, last + 1):
        lines += _forward(example, values, layer, activation)
    label, guess = example.y, float(values["y_hat"][0])
    lines += [
        *_heading("Loss: binary cross entropy, L = −(y·ln ŷ + (1 − y)·ln(1 − ŷ))"),
        f"L = −ln({f'{guess:.4f}' if label else f'1 − {guess:.4f}'}) = {decimal(values['loss'][0])}",
    ]
    for layer in range(last, 0, -1):
        lines += _backward(example, values, layer, activation)
    lr, after = stepped
    return [
        *lines,
        *_heading("Check"),
        *_checked(values, difference),
        f"One step W − {lr:g}·dW, b − {lr:g}·db takes the loss from {values['loss'][0]:.4f} to {after:.4f}.",
        *_evaluated(example, activation),
    ]


def conv_lines(example: ConvExample, activation: Activation, difference: float) -> list[str]:
    """The convolution, forward and backward."""
    values = work_conv(example, activation)
    lines = [
        *_heading("A convolution: 4×4 picture, 3×3 kernel, 2×2 map, 10 parameters"),
        f"a = {activation.formula}; L = ½·Σ (a − t)²; places count from 1",
        *_given("x", example.x),
        *_given("w", example.w),
        *_given("b", np.array([example.b])),
        *_given("t", example.t),
        *_heading("Forward: z[i,j] = Σ w[u,v]·x[i+u−1, j+v−1] + b"),
    ]
    places = list(np.ndindex(*example.t.shape))
    for i, j in places:
        window = example.x[i : i + KERNEL_SIDE, j : j + KERNEL_SIDE]
        lines += _sum(f"z{_at(i, j)}", example.w.ravel(), window.ravel(), values["z"][i, j], example.b)
    lines += [*_given("a", values["a"]), f"L = {decimal(values['loss'][0])}"]
    lines += _heading(f"Backward: dz = (a − t)·f′(z), f′(z) = {activation.slope_formula}")
    lines += [*_given("da", values["da"]), *_given("dz", values["dz"])]
    lines += _heading("dw[u,v] = Σ dz[i,j]·x[i+u−1, j+v−1], from wherever a weight was used")
    flat = values["dz"].ravel()
    for u, v in np.ndindex(*example.w.shape):
        used = np.array([example.x[i + u, j + v] for i, j in places])
        lines += _sum(f"dw{_at(u, v)}", flat, used, values["dw"][u, v])
    lines += [f"db = Σ dz = {decimal(values['db'][0])}"]
    lines += _heading("dx[m,n] = Σ dz[i,j]·w[m−i+1, n−j+1]: the kernel is turned around")
    for m, n in np.ndindex(*example.x.shape):
        met = [(i, j) for i, j in places if 0 <= m - i < KERNEL_SIDE and 0 <= n - j < KERNEL_SIDE]
        factors = np.array([values["dz"][place] for place in met])
        weights = np.array([example.w[m - i, n - j] for i, j in met])
        lines += _sum(f"dx{_at(m, n)}", factors, weights, values["dx"][m, n])
    return [*lines, *_heading("Check"), *_checked(values, difference)]


def _dropped(example: DenseExample) -> list[str]:
    """What dropout does to the hidden units, and which of them this step leaves out."""
    if example.dropout is None:
        return []
    p = example.dropout.p
    lines = [f"dropout: h = m·a / (1 − p) goes on, 1 / (1 − {p:g}) = {decimal(1 / (1 - p))}"]
    for layer, mask in enumerate(example.dropout.masks, start=1):
        gone = [str(unit + 1) for unit in np.flatnonzero(mask == 0)]
        said = f"dropped: {', '.join(gone)}" if gone else "none is dropped"
        lines.append(f"m{layer} = {'  '.join(f'{kept:g}' for kept in mask)}   {said}")
    return lines


def _evaluated(example: DenseExample, activation: Activation) -> list[str]:
    """What the dropped units' weights got, and what the whole net says."""
    if example.dropout is None:
        return []
    whole = work_dense(replace(example, dropout=None), activation)
    return [
        "A dropped unit's dz, db, its row of dW and its column of the next dW are 0:",
        "plain gradient descent leaves its weights as they are.",
        f"In evaluation no unit is dropped and nothing multiplied: ŷ = {decimal(whole['y_hat'][0])}.",
    ]


def _output(example: DenseExample, layer: int) -> str:
    """The name of what a layer hands on; 0 is the input."""
    if layer == 0:
        return "x"
    return f"a{layer}" if example.dropout is None else f"h{layer}"


def _forward(example: DenseExample, values: Values, layer: int, activation: Activation) -> list[str]:
    weight, bias = example.weights[layer - 1], example.biases[layer - 1]
    name = _output(example, layer - 1)
    into = example.x if layer == 1 else values[name]
    lines = _heading(f"Forward, layer {layer}: z{layer} = W{layer}·{name} + b{layer}")
    for row, out in enumerate(values[f"z{layer}"]):
        lines += _sum(f"z{layer}[{row + 1}]", weight[row], into, out, bias[row])
    if layer == len(example.weights):
        return [*lines, f"ŷ = 1 / (1 + exp(−z{layer})) = {decimal(values['y_hat'][0])}"]
    lines += _given(f"a{layer}", values[f"a{layer}"])
    if example.dropout is None:
        return lines
    return [*lines, *_given(f"h{layer} = m{layer}·a{layer} / (1 − p)", values[f"h{layer}"])]


def _backward(example: DenseExample, values: Values, layer: int, activation: Activation) -> list[str]:
    dz, name = values[f"dz{layer}"], _output(example, layer - 1)
    into = example.x if layer == 1 else values[name]
    lines = _heading(f"Backward, layer {layer}")
    if layer == len(example.weights):
        guess = float(values["y_hat"][0])
        lines += [
            "dz3 = dL/dŷ · dŷ/dz3 = (ŷ − y) / (ŷ·(1 − ŷ)) · ŷ·(1 − ŷ) = ŷ − y",
            f"dz3 = {guess:.4f} − {example.y:g} = {decimal(dz[0])}",
        ]
    else:
        lines += [f"dz{layer} = da{layer}·f′(z{layer}), f′(z) = {activation.slope_formula}"]
        slope = activation.slope(values[f"z{layer}"], values[f"a{layer}"])
        for unit, out in enumerate(dz):
            factor = f"{decimal(values[f'da{layer}'][unit])} · {decimal(slope[unit])}"
            lines += [f"dz{layer}[{unit + 1}] = {factor} = {decimal(out)}"]
    first = f"{decimal(dz[0])} · {decimal(into[0])} = {decimal(values[f'dW{layer}'][0, 0])}"
    lines += [
        f"dW{layer} = dz{layer}·{name}ᵀ, so dW{layer}[1,1] = {first}",
        *_given(f"dW{layer}", values[f"dW{layer}"]),
    ]
    lines += [*_given(f"db{layer} = dz{layer}", values[f"db{layer}"])]
    lines += [f"d{name} = W{layer}ᵀ·dz{layer}"]
    for unit, out in enumerate(values[f"d{name}"]):
        lines += _sum(f"d{name}[{unit + 1}]", example.weights[layer - 1][:, unit], dz, out)
    if example.dropout is not None and layer > 1:
        lines += _given(f"da{layer - 1} = dh{layer - 1}·m{layer - 1} / (1 − p)", values[f"da{layer - 1}"])
    return lines


def _checked(values: Values, difference: float) -> list[str]:
    return [f"Autograd agrees: of all {count_values(values)} values the largest difference is {difference:.0e}."]


def _heading(text: str) -> list[str]:
    return ["", *textwrap.wrap(text, WIDTH), "─" * min(len(text), WIDTH)]


def _given(name: str, values: Array) -> list[str]:
    """A name with a number, a vector in one line, or a matrix in several."""
    rows = [values] if values.ndim == 1 else list(values)
    width = max(len(decimal(value)) for row in rows for value in row)
    texts = ["  ".join(f"{decimal(value):>{width}}" for value in row) for row in rows]
    return [
        f"{name if place == 0 else '':<{len(name)}} = {text}" if place == 0 else f"{'':<{len(name) + 3}}{text}"
        for place, text in enumerate(texts)
    ]


def _sum(
    name: str, factors: Sequence[float] | Array, others: Sequence[float] | Array, result: Any, bias: float | None = None
) -> list[str]:
    """A sum of products with its numbers, broken between terms where it is long."""
    text = ""
    for place, (one, other) in enumerate(zip(factors, others, strict=True)):
        sign = "−" if one < 0 else "+"
        lead = ("−" if one < 0 else "") if place == 0 else f" {sign}{_HARD}"
        text += f"{lead}{decimal(abs(one))}·{_bracketed(other)}"
    if bias is not None:
        text += f" {'−' if bias < 0 else '+'}{_HARD}{decimal(abs(bias))}"
    whole = f"{name} = {text} ={_HARD}{decimal(result)}"
    return [line.replace(_HARD, " ") for line in textwrap.wrap(whole, WIDTH, subsequent_indent=" " * (len(name) + 3))]


def _at(row: int, column: int) -> str:
    return f"[{row + 1},{column + 1}]"


def _bracketed(value: Any) -> str:
    return f"({decimal(value)})" if value < 0 else decimal(value)
