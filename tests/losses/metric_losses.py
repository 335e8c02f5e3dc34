"""Made-up embeddings, and gradients by differences, for the tests of losses that compare them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_STEP = 1e-6


def directions(count: int, size: int, seed: int = 0) -> NDArray[np.float64]:
    """Rows of length 1, (count, size)."""
    rows = np.random.default_rng(seed).normal(size=(count, size))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def truth_of(identity: list[int]) -> dict[str, Tensor]:
    """Each sample once."""
    return {"identity": torch.tensor(identity), "sample": torch.arange(len(identity))}


def slope(loss: Callable[[NDArray[np.float64]], float], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gradient along the sphere, by central differences of rows that are brought back to length 1."""
    found = np.zeros_like(rows)
    for place in np.ndindex(rows.shape):
        values = []
        for step in (_STEP, -_STEP):
            moved = rows.copy()
            moved[place] += step
            values.append(loss(moved / np.linalg.norm(moved, axis=1, keepdims=True)))
        found[place] = (values[0] - values[1]) / (2 * _STEP)
    return found
