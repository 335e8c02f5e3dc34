"""Fully connected hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from cnnexp.models.activations import Activation, activation, pieces
from cnnexp.models.dropout import dropout_layers


def hidden_layers(
    inputs: int,
    widths: Sequence[int],
    kind: Activation,
    leaky_slope: float | None,
    batch_norm: bool,
    dropped: float | None,
) -> nn.Sequential:
    """Layers (B, inputs) → (B, widths[-1]), each linear, normalised where asked, activated, and units `dropped`
    with that probability where it is not None."""
    layers: list[nn.Module] = []
    for before, width in pairwise([inputs, *widths]):
        units = width * pieces(kind)
        layers.append(nn.Linear(before, units, bias=not batch_norm))
        layers += [nn.BatchNorm1d(units)] if batch_norm else []
        layers.append(activation(kind, width, leaky_slope))
        layers += dropout_layers(dropped)
    return nn.Sequential(*layers)
