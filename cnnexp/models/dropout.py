"""Dropout where it is asked for."""

from __future__ import annotations

from torch import nn


def dropout_layers(probability: float | None) -> list[nn.Module]:
    """A layer that drops values with this probability in [0, 1) while training; no layer at all for None."""
    return [] if probability is None else [nn.Dropout(probability)]
