"""Backpropagation worked by hand: every value of a small net and of a small convolution, by formulas written out.

The formulas are those of Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors";
those of dropout are Srivastava's and others' 2014, "Dropout: a simple way to prevent neural networks from overfitting",
with the factor at training time, as torch has it, where the paper scales the weights at test time.
Autograd computes the same values once more, to be held against them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Array = NDArray[np.float64]
Values = dict[str, Array]

WIDTHS = (3, 4, 4, 1)
PICTURE_SIDE, KERNEL_SIDE = 4, 3


@dataclass(frozen=True)
class Activation:
    """A function of one number.

    Attributes:
        formula, slope_formula: in words. slope: the derivative, from z and a = value(z).
    """

    formula: str
    slope_formula: str
    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    in_torch: Callable[[Tensor], Tensor]


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(−z))."""
    return np.asarray(1 / (1 + np.exp(-z)), np.float64)


ACTIVATIONS: Mapping[str, Activation] = {
    "sigmoid": Activation("σ(z) = 1 / (1 + exp(−z))", "a·(1 − a)", sigmoid, lambda z, a: a * (1 - a), torch.sigmoid),
    "tanh": Activation("tanh(z)", "1 − a²", np.tanh, lambda z, a: 1 - a**2, torch.tanh),
    "relu": Activation(
        "max(0, z)",
        "1 where z > 0, else 0",
        lambda z: np.maximum(z, 0),
        lambda z, a: (z > 0).astype(np.float64),
        torch.relu,
    ),
}


@dataclass(frozen=True)
class Dropout:
    """Which hidden units a training step leaves out.

    Attributes:
        p: probability in (0, 1) that a unit is dropped. masks: for each hidden layer 1 for a unit that is kept, else 0.
    """

    p: float
    masks: tuple[Array, ...]

    @property
    def factors(self) -> tuple[Array, ...]:
        """What each unit's output is multiplied by, m / (1 − p): over all masks it is 1 in the mean."""
        return tuple(mask / (1 - self.p) for mask in self.masks)


@dataclass(frozen=True)
class DenseExample:
    """The 3-4-4-1 net with one sample: 41 parameters.

    Attributes:
        x: (3,). y: the label, 0 or 1. weights: (4, 3), (4, 4), (1, 4). biases: (4,), (4,), (1,).
        dropout: of the hidden units; None where all take part, as in evaluation.
    """

    x: Array
    y: float
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    dropout: Dropout | None = None

    @property
    def parameters(self) -> int:
        return sum(one.size for one in (*self.weights, *self.biases))


@dataclass(frozen=True)
class ConvExample:
    """One convolution with an activation and a squared error.

    Attributes:
        x: (4, 4). w: (3, 3). b: bias. t: the targets (2, 2).
    """

    x: Array
    w: Array
    b: float
    t: Array


def dense_example(seed: int, y: float) -> DenseExample:
    """Inputs and weights with one digit behind the point, so that one can follow with a pocket calculator."""
    draws = np.random.default_rng(seed)
    x = _tenths(draws, 15, (WIDTHS[0],))
    shapes = [(out, into) for into, out in pairwise(WIDTHS)]
    weights = tuple(_tenths(draws, 9, shape) for shape in shapes)
    biases = tuple(_tenths(draws, 3, (out,)) for out, _ in shapes)
    return DenseExample(x, y, weights, biases)


def drawn_dropout(seed: int, p: float) -> Dropout:
    """Drops as many units of each hidden layer as come closest to p, but never none and never all."""
    draws = np.random.default_rng([seed, 2])
    masks = []
    for width in WIDTHS[1:-1]:
        dropped = min(max(round(p * width), 1), width - 1)
        masks.append(draws.permutation(np.repeat([0.0, 1.0], [dropped, width - dropped])))
    return Dropout(p, tuple(masks))


def conv_example(seed: int) -> ConvExample:
    """A picture of small whole numbers, and a kernel with one digit behind the point."""
    draws = np.random.default_rng([seed, 1])
    x = draws.integers(0, 4, (PICTURE_SIDE, PICTURE_SIDE)).astype(float)
    w = _tenths(draws, 3, (KERNEL_SIDE, KERNEL_SIDE))
    side = PICTURE_SIDE - KERNEL_SIDE + 1
    return ConvExample(x, w, float(_tenths(draws, 3, (1,))[0]), draws.integers(0, 2, (side, side)).astype(float))


def work_dense(example: DenseExample, activation: Activation) -> Values:
    """Forward and backward, layer by layer.

    z = W·a + b and a = f(z) in the hidden layers, ŷ = σ(z3) and the binary cross entropy
    L = −(y·ln ŷ + (1 − y)·ln(1 − ŷ)) at the end. Backward dz3 = ŷ − y; then for each layer dW = dz·aᵀ with the a that
    went in, db = dz, da = Wᵀ·dz, and dz = da·f′(z).

    With dropout h = m·a / (1 − p) goes on in place of a, and back comes dh = Wᵀ·dz and da = dh·m / (1 − p).

    Returns:
        ``z1``, ``a1``, …, ``y_hat``, ``loss``, and the derivatives of the loss ``dz3``, ``dW3``, ``db3``, ``da2``, …,
        ``dx``; with dropout ``h1``, …, ``dh2``, … too; vectors (n,), matrices (out, in), ``y_hat`` and ``loss`` (1,).
    """
    values: Values = {}
    factors = None if example.dropout is None else example.dropout.factors
    last = len(example.weights)
    into = [example.x]
    for layer, (weight, bias) in enumerate(zip(example.weights, example.biases, strict=True), start=1):
        values[f"z{layer}"] = weight @ into[-1] + bias
        values[f"a{layer}"] = activation.value(values[f"z{layer}"])
        if factors and layer < last:
            values[f"h{layer}"] = values[f"a{layer}"] * factors[layer - 1]
        into.append(values[f"{'h' if factors and layer < last else 'a'}{layer}"])
    values["y_hat"] = sigmoid(values[f"z{last}"])
    del values[f"a{last}"]
    values["loss"] = -(example.y * np.log(values["y_hat"]) + (1 - example.y) * np.log(1 - values["y_hat"]))
    values[f"dz{last}"] = values["y_hat"] - example.y
    for layer in range(last, 0, -1):
        dz = values[f"dz{layer}"]
        values[f"dW{layer}"] = np.outer(dz, into[layer - 1])
        values[f"db{layer}"] = dz
        back = example.weights[layer - 1].T @ dz
        if layer == 1:
            values["dx"] = back
            break
        below = layer - 1
        if factors:
            values[f"dh{below}"] = back
            back = back * factors[below - 1]
        values[f"da{below}"] = back
        values[f"dz{below}"] = back * activation.slope(values[f"z{below}"], values[f"a{below}"])
    return values


def autograd_dense(example: DenseExample, activation: Activation) -> Values:
    """The same values and names as ``work_dense``, computed by torch in double precision."""
    weights, biases = ([_leaf(one) for one in ones] for ones in (example.weights, example.biases))
    x = _leaf(example.x)
    kept: dict[str, Tensor] = {}
    a = x
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1):
        kept[f"z{layer}"] = functional.linear(a, weight, bias)
        a = kept[f"a{layer}"] = activation.in_torch(kept[f"z{layer}"])
        if example.dropout is not None and layer < len(weights):
            factor = torch.from_numpy(example.dropout.factors[layer - 1])
            a = kept[f"h{layer}"] = a * factor
    last = len(weights)
    del kept[f"a{last}"]
    kept["y_hat"] = torch.sigmoid(kept[f"z{last}"])
    label = torch.tensor([example.y], dtype=torch.float64)
    kept["loss"] = functional.binary_cross_entropy(kept["y_hat"], label, reduction="none")
    given = {f"W{n}": one for n, one in enumerate(weights, 1)} | {f"b{n}": one for n, one in enumerate(biases, 1)}
    return _with_gradients(kept, {**given, "x": x})


def loss_after_step(example: DenseExample, activation: Activation, lr: float) -> float:
    """The loss of the same sample, and with the same units, after one step of gradient descent, W − lr·dW."""
    values = work_dense(example, activation)
    weights = tuple(one - lr * values[f"dW{n}"] for n, one in enumerate(example.weights, 1))
    biases = tuple(one - lr * values[f"db{n}"] for n, one in enumerate(example.biases, 1))
    return float(work_dense(replace(example, weights=weights, biases=biases), activation)["loss"][0])


def work_conv(example: ConvExample, activation: Activation) -> Values:
    """Forward and backward of a convolution without padding, stride 1.

    z[i,j] = Σ w[u,v]·x[i+u, j+v] + b, a = f(z), L = ½·Σ (a − t)². Backward dz = (a − t)·f′(z),
    dw[u,v] = Σ dz[i,j]·x[i+u, j+v], db = Σ dz, dx[m,n] = Σ dz[i,j]·w[m−i, n−j].

    Returns:
        ``z``, ``a``, ``loss``, ``da``, ``dz``, ``dw``, ``db``, ``dx``; ``loss`` and ``db`` (1,).
    """
    height, width = example.t.shape
    z = np.zeros_like(example.t)
    for i, j in np.ndindex(height, width):
        z[i, j] = (example.w * _window(example, i, j)).sum() + example.b
    a = activation.value(z)
    da = a - example.t
    dz = da * activation.slope(z, a)
    dw, dx = np.zeros_like(example.w), np.zeros_like(example.x)
    for i, j in np.ndindex(height, width):
        dw += dz[i, j] * _window(example, i, j)
        dx[i : i + KERNEL_SIDE, j : j + KERNEL_SIDE] += dz[i, j] * example.w
    loss = np.array([0.5 * (da**2).sum()])
    return {"z": z, "a": a, "loss": loss, "da": da, "dz": dz, "dw": dw, "db": np.array([dz.sum()]), "dx": dx}


def autograd_conv(example: ConvExample, activation: Activation) -> Values:
    """The same values and names as ``work_conv``, computed by torch in double precision."""
    x, w, b = _leaf(example.x), _leaf(example.w), _leaf(np.array([example.b]))
    z = functional.conv2d(x[None, None], w[None, None], b)[0, 0]
    a = activation.in_torch(z)
    loss = 0.5 * (a - torch.from_numpy(example.t)).square().sum(dim=(0, 1), keepdim=True)[0]
    return _with_gradients({"z": z, "a": a, "loss": loss}, {"w": w, "b": b, "x": x})


def largest_difference(ours: Values, others: Values) -> float:
    """Over all values of both, which must have the same names.

    Raises:
        ValueError: one has a value that the other lacks.
    """
    if ours.keys() != others.keys():
        raise ValueError(f"values of other names: {sorted(ours.keys() ^ others.keys())}")
    return max(float(np.abs(ours[name] - others[name]).max()) for name in ours)


def count_values(values: Values) -> int:
    """How many numbers they are."""
    return sum(one.size for one in values.values())


def _tenths(draws: np.random.Generator, most: int, shape: tuple[int, ...]) -> Array:
    """Of either sign and never 0, up to so many tenths."""
    return draws.integers(1, most + 1, shape) * draws.choice([-1, 1], shape) / 10


def _window(example: ConvExample, i: int, j: int) -> Array:
    return example.x[i : i + KERNEL_SIDE, j : j + KERNEL_SIDE]


def _leaf(values: Array) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def _with_gradients(kept: Mapping[str, Tensor], leaves: Mapping[str, Tensor]) -> Values:
    """The kept tensors, and the loss's gradient with respect to each of them and to the leaves."""
    inner: Sequence[str] = [name for name in kept if name not in ("loss", "y_hat")]
    wanted = {**{name: kept[name] for name in inner}, **leaves}
    gradients = torch.autograd.grad(kept["loss"].sum(), list(wanted.values()))
    found = {name: one.detach().numpy() for name, one in kept.items()}
    return found | {f"d{name}": one.numpy() for name, one in zip(wanted, gradients, strict=True)}
