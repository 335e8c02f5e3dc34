"""Principal components as the linear autoencoder to beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from cnnexp.data.base import Split

Pixels = Callable[[dict[str, Tensor]], Tensor]

MOST_PIXELS = 4096
"""Values of a picture up to which the covariance is worth its time."""
CHUNK = 1024


def pca_error(
    train: Split,
    positions: np.ndarray,
    test: Split,
    components: int,
    pixels: Pixels,
    given: Pixels | None = None,
) -> float | None:
    """Mean squared error, pixels in [0, 1], of test pictures rebuilt from their first principal components.

    Mean and components (eigenvectors of the covariance) are those of the training pictures.

    Args:
        pixels: the pictures of a batch, uint8 (B, ...). given: what of them is rebuilt, in [0, 1], where that is not
            the pictures themselves: they are disturbed, say.

    Returns:
        The error; None where pictures are too large for a covariance matrix.
    """
    if pixels(train.batch([0])).numel() > MOST_PIXELS:
        return None
    total, products, count = _moments(train, positions, pixels)
    mean = total / count
    _, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
    basis = vectors[:, ::-1][:, :components]
    squares, values = 0.0, 0
    for chunk in _chunks(np.arange(len(test))):
        rows = _rows(test, chunk, pixels) - mean
        shown = rows if given is None else _values(test, chunk, given) - mean
        squares += float(np.square(rows - shown @ basis @ basis.T).sum())
        values += rows.size
    return squares / values


def _moments(split: Split, positions: np.ndarray, pixels: Pixels) -> tuple[np.ndarray, np.ndarray, int]:
    size = pixels(split.batch([0])).numel()
    total, products = np.zeros(size), np.zeros((size, size))
    for chunk in _chunks(positions):
        rows = _rows(split, chunk, pixels)
        total += rows.sum(0)
        products += rows.T @ rows
    return total, products, len(positions)


def _chunks(positions: np.ndarray) -> list[np.ndarray]:
    return [positions[start : start + CHUNK] for start in range(0, len(positions), CHUNK)]


def _rows(split: Split, positions: np.ndarray, pixels: Pixels) -> np.ndarray:
    return _values(split, positions, pixels) / 255


def _values(split: Split, positions: np.ndarray, pixels: Pixels) -> np.ndarray:
    return pixels(split.batch(torch.from_numpy(positions))).flatten(1).numpy().astype(np.float64)
