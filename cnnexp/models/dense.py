"""Fully connected hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from cnnexp.models.activations import Activation, activation, pieces


def hidden_layers(
    inputs: int,
    widths: Sequence[int],
    kind: Activation,
    leaky_slope: float | None,
    batch_norm: bool,
    dropout: float | None,
) -> nn.Sequential:
    """Layers (B, inputs) → (B, widths[-1]), each linear, normalised where asked, activated, dropped where asked."""
    layers: list[nn.Module] = []
    for before, width in pairwise([inputs, *widths]):
        units = width * pieces(kind)
        layers.append(nn.Linear(before, units, bias=not batch_norm))
        layers += [nn.BatchNorm1d(units)] if batch_norm else []
        layers.append(activation(kind, width, leaky_slope))
        layers += [] if dropout is None else [nn.Dropout(dropout)]
    return nn.Sequential(*layers)
