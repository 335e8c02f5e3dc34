from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from cnnexp.visualize.loss_surface import project
from cnnexp.visualize.weight_path import axis_over, principal


def path(points: int = 6) -> list[dict[str, Tensor]]:
    """Of two parameters, along a curve with some noise."""
    generator = torch.Generator().manual_seed(0)
    along = torch.linspace(0, 2, points)
    axes = torch.randn(2, 10, generator=generator)
    rows = torch.stack([along, along**2]).T @ axes + 0.1 * torch.randn(points, 10, generator=generator)
    return [{"weight": row[:6].view(2, 3), "bias": row[6:]} for row in rows]


def flat(weights: dict[str, Tensor]) -> np.ndarray:
    return np.concatenate([weights["weight"].numpy().ravel(), weights["bias"].numpy()]).astype(np.float64)


def test_directions_are_the_principal_components_of_scikit_learn() -> None:
    rows = path()
    directions, shares = principal(rows)
    ways = np.stack([flat(one) for one in rows]) - flat(rows[-1])
    reference = PCA(n_components=2, svd_solver="full").fit(ways)
    assert shares == pytest.approx(reference.explained_variance_ratio_, rel=1e-6)
    for direction, component, sign in zip(directions, reference.components_, (-1, 1), strict=True):
        ours = flat(direction)
        assert abs(ours @ component) == pytest.approx(1, abs=1e-6)
        assert np.linalg.norm(ours) == pytest.approx(1, abs=1e-6)
        assert np.sign(ways[0] @ ours) == sign, "the path begins to the left and above"
    for one, way in zip(rows, ways, strict=True):
        steps, held = project(one, rows[-1], directions)
        wanted = way @ reference.components_.T
        assert np.abs(steps) == pytest.approx(np.abs(wanted), abs=1e-5)
        if way.any():
            assert held == pytest.approx((wanted @ wanted) / (way @ way), abs=1e-5)
    assert project(rows[-1], rows[-1], directions) == ((0, 0), 1)


def test_weights_on_a_line_span_no_plane() -> None:
    line = [{"w": torch.tensor([1.0, 2, 3]) * step} for step in (0.0, 1, 2, 4)]
    for one in (line, [line[1]] * 3):
        with pytest.raises(ValueError, match="less than two directions"):
            principal(one)


@pytest.mark.parametrize("values", [(-20.0, -7.0, 0.0), (0.0, 3.3), (-1e-3, 0.0, 2e-3), (-900.0, 0.0, 1.0)])
@pytest.mark.parametrize("count", [3, 7, 19])
def test_an_axis_covers_its_values_and_holds_zero(values: tuple[float, ...], count: int) -> None:
    axis = axis_over(values, count)
    assert len(axis) == count and 0.0 in axis
    assert axis[0] < min(values) and axis[-1] > max(values)
    assert np.diff(axis) == pytest.approx(axis[1] - axis[0])
