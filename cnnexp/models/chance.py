"""Random numbers that depend on nothing but a key for each picture."""

from __future__ import annotations

import torch
from torch import Tensor

_GAMMA = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)


def uniform(draws: Tensor, count: int, stream: int) -> Tensor:
    """Numbers in [0, 1), float64 (B, count): splitmix64 as in ``cnnexp/draws.py``, on the device of the keys.

    The first ones of a picture are the same however many are asked for, and in any batch that it is in.

    Args:
        draws: int64 (B,), a key for each picture. stream: keeps numbers for different ends apart.
    """
    places = torch.arange(1, count + 1, device=draws.device)
    state = _mixed(_mixed(draws + (stream + 1) * _GAMMA)[:, None] + places * _GAMMA)
    return _shifted(state, 11).double() * 2.0**-53


def _mixed(state: Tensor) -> Tensor:
    state = (state ^ _shifted(state, 30)) * _MIX_1
    state = (state ^ _shifted(state, 27)) * _MIX_2
    return state ^ _shifted(state, 31)


def _shifted(state: Tensor, by: int) -> Tensor:
    """A shift to the right that fills up with zeros, as of numbers without a sign."""
    return (state >> by) & ((1 << (64 - by)) - 1)
