"""Rows of many numbers as points in the plane: by principal components, and by t-SNE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LEAST_SAMPLES = 8
NEIGHBOURS = 5
"""That trustworthiness looks at, as scikit-learn has it."""
PERPLEXITY = 30.0


@dataclass(frozen=True)
class Plane:
    """Points (N, 2), and how far what is near among them is near among the rows, 0 to 1.

    Attributes:
        method: ``PCA`` or ``t-SNE``. explained: part of the variance along each axis, of principal components.
        perplexity: that t-SNE was made with.
    """

    method: str
    points: Array
    trustworthiness: float
    explained: tuple[float, float] | None = None
    perplexity: float | None = None


def pca(rows: NDArray[np.float32]) -> Plane:
    """The first two principal components of rows (N, D): their projections on the directions of largest variance.

    An axis points to where the largest weight of its component is positive, as scikit-learn has it.
    """
    centred = rows.astype(np.float64) - rows.mean(0, dtype=np.float64)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])
    axes = axes * np.where(signs == 0, 1, signs)[:, None]
    points = np.zeros((len(rows), 2))
    points[:, : min(2, len(axes))] = centred @ axes[:2].T
    share = np.append(np.square(lengths), [0, 0]) / (np.square(lengths).sum() or 1)
    return Plane("PCA", points, _trustworthiness(rows, points), (float(share[0]), float(share[1])))


def tsne(rows: NDArray[np.float32], seed: int, perplexity: float = PERPLEXITY) -> Plane:
    """t-SNE of rows (N, D), not all alike, begun from their principal components (van der Maaten and Hinton 2008).

    Of few rows the perplexity, about the number of neighbours that count, is at most a third of them.
    """
    from sklearn.manifold import TSNE

    fitting = min(perplexity, (len(rows) - 1) / 3)
    points = TSNE(perplexity=fitting, init="pca", random_state=seed).fit_transform(rows).astype(np.float64)
    return Plane("t-SNE", points, _trustworthiness(rows, points), perplexity=fitting)


def _trustworthiness(rows: NDArray[np.float32], points: Array) -> float:
    """Venna and Kaski 2001, "Neighborhood preservation in nonlinear projection methods": 1 where each point's nearest
    are nearest among the rows too."""
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(rows, points, n_neighbors=min(NEIGHBOURS, (len(rows) - 1) // 2)))
