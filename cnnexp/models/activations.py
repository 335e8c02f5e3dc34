"""Activations by their names in the configuration, and maxout, which needs several maps for each that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from cnnexp.errors import InputError

Activation = Literal["relu", "tanh", "sigmoid", "leaky_relu", "prelu", "elu", "maxout"]
OneToOne = Literal["relu", "tanh", "sigmoid", "leaky_relu", "prelu", "elu"]
"""Those that give a map for each that they take: what nets whose paper says the number of their maps can have."""
SATURATING = ("tanh", "sigmoid")
MAXOUT_PIECES = 2
LEAKY_SLOPE = 0.01
"""Of Maas, Hannun, Ng 2013, section 2, and of torch; course slides often draw 0.1."""


class Maxout(nn.Module):
    """The largest of each group of neighbouring maps (Goodfellow et al. 2013, section 3): maxima across channels.

    (B, C, ...) becomes (B, C / pieces, ...); C must be divisible by `pieces`.
    """

    def __init__(self, pieces: int = MAXOUT_PIECES) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, self.pieces)).amax(2)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"


def activation(name: Activation, channels: int, leaky_slope: float | None = None) -> nn.Module:
    """The layer of that name.

    Args:
        channels: that it gives; PReLU learns a slope for each of them (He et al. 2015, "Delving deep", section 2.1).
        leaky_slope: of `leaky_relu` below zero; None is 0.01.

    Raises:
        InputError: a slope was given for an activation that has none.
    """
    if leaky_slope is not None and name != "leaky_relu":
        raise InputError(f"model.leaky_slope={leaky_slope}: model.activation={name} has none; leave it null")
    if name == "prelu":
        return nn.PReLU(channels)
    if name == "leaky_relu":
        return nn.LeakyReLU(LEAKY_SLOPE if leaky_slope is None else leaky_slope, inplace=True)
    if name == "maxout":
        return Maxout()
    return {"relu": nn.ReLU(inplace=True), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid(), "elu": nn.ELU()}[name]


@dataclass(frozen=True)
class Activating:
    """The activation of a net, which makes a layer of it for each place where one stands.

    Args:
        name: of the activation. leaky_slope: of `leaky_relu` below zero; None is 0.01.
    """

    name: Activation
    leaky_slope: float | None = None

    def __call__(self, channels: int) -> nn.Module:
        """The layer for a place with so many maps or units.

        Raises:
            InputError: a slope was given for an activation that has none.
        """
        return activation(self.name, channels, self.leaky_slope)


RELU = Activating("relu")


def pieces(name: Activation) -> int:
    """How many maps or units an activation takes for each one that it gives."""
    return MAXOUT_PIECES if name == "maxout" else 1
