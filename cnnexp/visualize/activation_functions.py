"""The activations that nets have, as functions of one number: values, derivatives, and where they are flat.

The figures are those of the layers themselves (`cnnexp.models.activations`), the derivatives autograd's, in double
precision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.models.activations import LEAKY_SLOPE, Activation, activation

Array = NDArray[np.float64]

FLAT = 0.01
"""A function is called flat where its derivative is below this part of its largest one."""
_REACH = 40.0
"""Flat ground is looked for this far out: at 40 sigmoid's derivative is some 4e-18."""
_STEP = 0.001


@dataclass(frozen=True)
class Description:
    """What no measurement says: formulas, with `s` for the slope, the range of values, and the source."""

    formula: str
    derivative: str
    range: str
    source: str


DESCRIPTIONS: dict[Activation, Description] = {
    "sigmoid": Description("1 / (1 + e⁻ˣ)", "f·(1 − f)", "(0, 1)", "the logistic function"),
    "tanh": Description("(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)", "1 − f²", "(−1, 1)", "LeCun et al. 1998, Efficient backprop"),
    "relu": Description("max(0, x)", "0 or 1", "[0, ∞)", "Nair, Hinton 2010"),
    "leaky_relu": Description("x, below zero s·x; s = {s:g}", "s or 1", "(−∞, ∞)", "Maas, Hannun, Ng 2013"),
    "prelu": Description("x, below zero s·x; s is learnt, from 0.25", "s or 1", "(−∞, ∞)", "He et al. 2015"),
    "elu": Description("x, below zero eˣ − 1", "1, below zero eˣ", "(−1, ∞)", "Clevert et al. 2016"),
    "maxout": Description(
        "the larger unit; here max(x, −x)", "the larger one's", "as learnt", "Goodfellow et al. 2013"
    ),
}
MAXOUT_SLOPES = (1.0, -1.0)
"""Maxout is what its units make of it. With these it is |x| (Goodfellow et al. 2013, "Maxout networks", figure 1)."""


@dataclass(frozen=True)
class Measured:
    """An activation's figures.

    Attributes:
        name: in the configuration. description: with the slope filled in. x, values, slopes: its curve.
        left, right: derivatives just beside 0. at_zero: what autograd takes at 0 itself.
        largest: derivative in size, over [−40, 40].
        flat_left, flat_right: from where on outwards the derivative is below `FLAT` of the largest; None: nowhere.
    """

    name: Activation
    description: Description
    left: float
    right: float
    at_zero: float
    largest: float
    flat_left: float | None
    flat_right: float | None
    x: Array = field(repr=False)
    values: Array = field(repr=False)
    slopes: Array = field(repr=False)


def names() -> list[Activation]:
    """All that the nets know."""
    return list(get_args(Activation))


def curve(name: Activation, x: Array, leaky_slope: float = LEAKY_SLOPE) -> tuple[Array, Array]:
    """The layer's values and autograd's derivatives at x (n,)."""
    points = torch.from_numpy(np.asarray(x, float)).requires_grad_()
    values = _layer(name, points, leaky_slope)
    (slopes,) = torch.autograd.grad(values.sum(), points)
    return values.detach().numpy(), slopes.numpy()


def measure(name: Activation, reach: float, leaky_slope: float = LEAKY_SLOPE) -> Measured:
    """An activation's figures, and its curve over [−reach, reach]."""
    half = np.arange(1, round(_REACH / _STEP) + 1) * _STEP
    far = np.concatenate([-half[::-1], [0.0], half])
    size = np.abs(curve(name, far, leaky_slope)[1])
    flat = size < FLAT * size.max()
    beside = curve(name, np.array([-1e-12, 0.0, 1e-12]), leaky_slope)[1]
    x = np.linspace(-1, 1, 801) * reach  # 0 is among them, exactly
    values, slopes = curve(name, x, leaky_slope)
    description = DESCRIPTIONS[name]
    filled = Description(
        description.formula.format(s=leaky_slope), description.derivative, description.range, description.source
    )
    return Measured(
        name,
        filled,
        left=float(beside[0]),
        right=float(beside[2]),
        at_zero=float(beside[1]),
        largest=float(size.max()),
        flat_left=_outermost(far[::-1], flat[::-1]),
        flat_right=_outermost(far, flat),
        x=x,
        values=values,
        slopes=slopes,
    )


def _layer(name: Activation, points: Tensor, leaky_slope: float) -> Tensor:
    layer = activation(name, 1, leaky_slope if name == "leaky_relu" else None).double()
    if name == "maxout":
        return layer(points[:, None] * torch.tensor(MAXOUT_SLOPES, dtype=torch.float64))[:, 0]
    # some work in place, which would overwrite the points
    return layer(points.clone()[:, None])[:, 0]


def _outermost(x: Array, flat: NDArray[np.bool_]) -> float | None:
    """The first x of the flat ground at the end of the line."""
    if not flat[-1]:
        return None
    rising = np.flatnonzero(~flat)
    return float(x[rising[-1] + 1]) if len(rising) else float(x[0])
