"""Backpropagation worked by hand, as pictures: the net with its values and gradients, the convolution's matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cnnexp.visualize.backprop import Activation, Array, ConvExample, DenseExample, Values, work_conv, work_dense
from cnnexp.visualize.canvas import above, framed, in_row, words
from cnnexp.visualize.matrix import decimal, matrix_image
from cnnexp.visualize.png import figure_image, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POSITIVE, _NEGATIVE, _GRADIENT = "#0072B2", "#E69F00", "#D55E00"  # Okabe and Ito's blue, orange, vermilion
_GONE = "#999999"  # dropped
_GREY = (90, 90, 90)
_GAP_PX = 22
_RADIUS = 0.34
Shown = tuple[str, Array]


def dense_page(example: DenseExample, activation: Activation, title: str) -> Image.Image:
    """The net as a graph, and the matrices of each layer, forward and backward."""
    values = work_dense(example, activation)
    blocks = [words(title, 17), _graph(example, values)]
    for layer in range(1, len(example.weights) + 1):
        end = layer == len(example.weights)
        forward: list[Shown] = [
            (f"W{layer}", example.weights[layer - 1]),
            (f"b{layer}", _column(example.biases[layer - 1])),
            (f"z{layer}", _column(values[f"z{layer}"])),
            ("ŷ" if end else f"a{layer}", _column(values["y_hat" if end else f"a{layer}"])),
        ]
        thinned = example.dropout is not None and not end
        if thinned:
            forward.append((f"h{layer} = m·a/(1−p)", _column(values[f"h{layer}"])))
        backward: list[Shown] = [
            (f"dz{layer} = db{layer}", _column(values[f"dz{layer}"])),
            (f"dW{layer}", values[f"dW{layer}"]),
        ]
        if not end:
            backward.insert(0, (f"da{layer}", _column(values[f"da{layer}"])))
        if thinned:
            backward.insert(0, (f"dh{layer}", _column(values[f"dh{layer}"])))
        blocks += [words(f"layer {layer}: forward, then backward", 13, _GREY), _beside([*forward, *backward])]
    return framed(above(blocks, 12), 16)


def conv_page(example: ConvExample, activation: Activation, title: str) -> Image.Image:
    """The convolution's matrices: what goes in, what comes out, and the derivatives."""
    values = work_conv(example, activation)
    bias, loss, slope = (np.array([[float(one)]]) for one in (example.b, values["loss"][0], values["db"][0]))
    forward: list[Shown] = [("x", example.x), ("w", example.w), ("b", bias), ("z = x ⋆ w + b", values["z"])]
    ends: list[Shown] = [("a = f(z)", values["a"]), ("t", example.t), ("L = ½ Σ (a − t)²", loss)]
    backward: list[Shown] = [("da = a − t", values["da"]), ("dz = da · f′(z)", values["dz"])]
    collected: list[Shown] = [("dw = x ⋆ dz", values["dw"]), ("db = Σ dz", slope), ("dx = dz ∗ w", values["dx"])]
    blocks = [
        words(title, 17),
        words("forward (⋆: the kernel as it is)", 13, _GREY),
        _beside([*forward, *ends]),
        words("backward (∗: the kernel turned around)", 13, _GREY),
        _beside([*backward, *collected]),
    ]
    return framed(above(blocks, 12), 16)


def _column(values: Array) -> Array:
    return values[:, None]


def _beside(shown: Sequence[Shown]) -> Image.Image:
    """Matrices in a row, each under its name."""
    images = [above([words(name, 13), matrix_image(values, written=decimal)], 3) for name, values in shown]
    return in_row(images, _GAP_PX)


def _graph(example: DenseExample, values: Values) -> Image.Image:
    """Units as circles with their outputs, edges by sign and size of their weights, gradients dz beneath."""
    figure = new_figure(8.6, 4.6)
    axes = figure.add_subplot()
    out = "a" if example.dropout is None else "h"
    layers = [example.x, values[f"{out}1"], values[f"{out}2"], values["y_hat"]]
    hidden = [np.ones(4)] * 2 if example.dropout is None else example.dropout.masks
    kept = [np.ones(3), *hidden, np.ones(1)]
    gradients = [values["dx"], values["dz1"], values["dz2"], values["dz3"]]
    places = [
        [(2.6 * depth, (len(layer) - 1) / 2 - row) for row in range(len(layer))] for depth, layer in enumerate(layers)
    ]
    for depth, weight in enumerate(example.weights):
        _edges(axes, places[depth], places[depth + 1], weight, np.outer(kept[depth + 1], kept[depth]))
    for depth, (layer, gradient) in enumerate(zip(layers, gradients, strict=True)):
        for (x, y), value, slope, there in zip(places[depth], layer, gradient, kept[depth], strict=True):
            _unit(axes, x, y, float(value), float(slope), bool(there))
    for depth, name in enumerate(("x", f"{out}1", f"{out}2", "ŷ")):
        axes.text(2.6 * depth, 2.15, name, ha="center", fontsize=12)
    crossed = "" if example.dropout is None else "\n\ncrossed out:\ndropped"
    said = f"y = {example.y:g}\nL = {values['loss'][0]:.4f}{crossed}"
    axes.text(7.8 + 0.75, 0, said, va="center", fontsize=11)
    _legend(axes)
    axes.set(xlim=(-0.6, 9.6), ylim=(-2.6, 2.45), aspect="equal")
    axes.axis("off")
    return figure_image(figure)


def _edges(
    axes: Axes, into: Sequence[tuple[float, float]], out: Sequence[tuple[float, float]], weight: Array, used: Array
) -> None:
    """Lines as thick as the weights; those of dropped units are thin, dotted and grey."""
    for row, (x2, y2) in enumerate(out):
        for column, (x1, y1) in enumerate(into):
            w = float(weight[row, column])
            if not used[row, column]:
                axes.plot([x1, x2], [y1, y2], color=_GONE, lw=0.8, ls=":", zorder=1)
                continue
            colour = _POSITIVE if w > 0 else _NEGATIVE
            axes.plot([x1, x2], [y1, y2], color=colour, lw=0.3 + 3 * abs(w), alpha=0.55 if w else 0.0, zorder=1)


def _unit(axes: Axes, x: float, y: float, value: float, slope: float, kept: bool) -> None:
    from matplotlib.patches import Circle

    ink, ground = ("black", "white") if kept else (_GONE, "#f2f2f2")
    axes.add_patch(Circle((x, y), _RADIUS, facecolor=ground, edgecolor=ink, lw=1.2, zorder=2, ls="-" if kept else ":"))
    if not kept:
        reach = _RADIUS / 2**0.5
        for sign in (1, -1):
            axes.plot([x - reach, x + reach], [y - sign * reach, y + sign * reach], color=_GONE, lw=1.2, zorder=2.5)
        return
    axes.text(x, y + 0.09, _figure(value), ha="center", va="center", fontsize=8, zorder=3)
    axes.text(x, y - 0.13, _figure(slope), ha="center", va="center", fontsize=7, color=_GRADIENT, zorder=3)


def _figure(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def _legend(axes: Axes) -> None:
    axes.text(-0.4, -2.3, "in a circle: the output and, below it,", fontsize=9, va="center")
    axes.text(2.62, -2.3, "the gradient dz (dx at the input)", fontsize=9, va="center", color=_GRADIENT)
    for x, colour, name in ((5.9, _POSITIVE, "weight > 0"), (7.9, _NEGATIVE, "weight < 0")):
        axes.plot([x, x + 0.45], [-2.3, -2.3], color=colour, lw=3, alpha=0.55)
        axes.text(x + 0.55, -2.3, name, fontsize=9, va="center")
