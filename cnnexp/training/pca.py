"""Principal components as the linear autoencoder to beat."""

from __future__ import annotations

import numpy as np
import torch

from cnnexp.data.base import Split

MOST_PIXELS = 4096
"""Values of a picture up to which the covariance is worth its time."""
CHUNK = 1024


def pca_error(train: Split, positions: np.ndarray, test: Split, components: int) -> float | None:
    """Mean squared error, pixels in [0, 1], of test pictures rebuilt from their first principal components.

    Mean and components (eigenvectors of the covariance) are those of the training pictures.

    Returns:
        The error; None where pictures are too large for a covariance matrix.
    """
    if train.batch([0])["image"].numel() > MOST_PIXELS:
        return None
    total, products, count = _moments(train, positions)
    mean = total / count
    _, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
    basis = vectors[:, ::-1][:, :components]
    squares, values = 0.0, 0
    for chunk in _chunks(np.arange(len(test))):
        pixels = _pixels(test, chunk) - mean
        squares += float(np.square(pixels - pixels @ basis @ basis.T).sum())
        values += pixels.size
    return squares / values


def _moments(split: Split, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    size = split.batch([0])["image"].numel()
    total, products = np.zeros(size), np.zeros((size, size))
    for chunk in _chunks(positions):
        pixels = _pixels(split, chunk)
        total += pixels.sum(0)
        products += pixels.T @ pixels
    return total, products, len(positions)


def _chunks(positions: np.ndarray) -> list[np.ndarray]:
    return [positions[start : start + CHUNK] for start in range(0, len(positions), CHUNK)]


def _pixels(split: Split, positions: np.ndarray) -> np.ndarray:
    images = split.batch(torch.from_numpy(positions))["image"]
    return images.flatten(1).numpy().astype(np.float64) / 255
