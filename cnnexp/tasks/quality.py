"""How like the data's pictures those are that a net makes up, as a classifier sees both."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnexp.tasks.means import Sums


class Judge(Protocol):
    """A trained classifier that looks at pictures which others make."""

    names: tuple[str, ...]
    """Of its classes."""
    width: int
    """Numbers that its last layer sees of a picture: its features."""

    def __call__(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, D) and the surest class int64 (B,) of pictures (B, C, H, W) in [0, 1]."""
        ...


class Moments(Sums):
    """Mean and covariance of features, summed up in double precision.

    Args:
        width: features D of a picture.
    """

    def __init__(self, width: int) -> None:
        super().__init__(1 + width + width * width, torch.float64)
        self.width = width

    @torch.no_grad()
    def update(self, features: Tensor) -> None:
        """Add those of a batch, (B, D)."""
        own = features.double()
        found = torch.cat([own.new_tensor([len(own)]), own.sum(0), (own.T @ own).flatten()])
        self._on(own.device).add_(found)

    def compute(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(D,) and (D, D), the covariance over N - 1; not-a-number for fewer than two pictures."""
        total = self.total().numpy()
        count, sums = total[0], total[1 : 1 + self.width]
        if count < 2:
            return np.full(self.width, np.nan), np.full((self.width, self.width), np.nan)
        mean = sums / count
        products = total[1 + self.width :].reshape(self.width, self.width)
        return mean, (products - count * np.outer(mean, mean)) / (count - 1)


class ClassCounts(Sums):
    """How many pictures are taken for each class.

    Args:
        classes: their number K.
    """

    def __init__(self, classes: int) -> None:
        super().__init__(classes, torch.float64)

    @torch.no_grad()
    def update(self, classes: Tensor) -> None:
        """Add the classes int64 (B,) of a batch."""
        self._on(classes.device).add_(torch.bincount(classes, minlength=len(self._sums)))

    def compute(self) -> NDArray[np.int64]:
        """(K,)"""
        return self.total().numpy().astype(np.int64)


def frechet(
    one: tuple[NDArray[np.float64], NDArray[np.float64]], other: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> float:
    """|m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½) of two means and covariances: 0 where both are equal.

    It is the squared Wasserstein distance of two normal distributions (Dowson and Landau 1982), in the features of a
    classifier the Fréchet distance of Heusel et al. 2017, "GANs trained by a two time-scale update rule", equation 6.
    The trace of the root is the sum of the roots of the eigenvalues of C₁^½ C₂ C₁^½, which is symmetric.
    """
    (mean, covariance), (others, other_covariance) = one, other
    if not (np.isfinite(covariance).all() and np.isfinite(other_covariance).all()):
        return float("nan")
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    eigenvalues = np.linalg.eigvalsh(root @ other_covariance @ root)
    both = np.trace(covariance) + np.trace(other_covariance)
    return float(np.square(mean - others).sum() + both - 2 * np.sqrt(eigenvalues.clip(min=0)).sum())
