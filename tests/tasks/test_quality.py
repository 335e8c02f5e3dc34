"""Fréchet distances against SciPy's root of a matrix and by hand, and sums in parts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch

from cnnexp.tasks.quality import ClassCounts, Moments, frechet


def features(seed: int, count: int = 50, width: int = 4, shift: float = 0.0) -> torch.Tensor:
    drawn = np.random.default_rng(seed).normal(size=(count, width)) @ np.diag([1.0, 2.0, 0.5, 1.5]) + shift
    return torch.from_numpy(drawn).float()


def moments(given: torch.Tensor) -> Moments:
    made = Moments(given.shape[1])
    for part in given.split(7):
        made.update(part)
    return made


def test_mean_and_covariance_are_numpy_s_in_any_parts() -> None:
    given = features(0)
    mean, covariance = moments(given).compute()
    assert mean == pytest.approx(given.double().numpy().mean(0))
    assert covariance == pytest.approx(np.cov(given.double().numpy(), rowvar=False))


def test_the_distance_is_that_with_the_root_of_the_product() -> None:
    one, other = moments(features(0)).compute(), moments(features(1, shift=0.3)).compute()
    root = scipy.linalg.sqrtm(one[1] @ other[1])
    expected = np.square(one[0] - other[0]).sum() + np.trace(one[1] + other[1] - 2 * root.real)
    assert frechet(one, other) == pytest.approx(expected)
    assert frechet(other, one) == pytest.approx(expected)


def test_two_distributions_by_hand() -> None:
    """Variances 1 and 4, means 0 and 3: 9 + (1 - 2)² = 10; of what is equal it is 0, also where a feature is dead."""
    assert frechet((np.zeros(1), np.eye(1)), (np.full(1, 3.0), 4 * np.eye(1))) == pytest.approx(10)
    dead = (np.ones(3), np.diag([1.0, 0.0, 2.0]))
    assert frechet(dead, dead) == pytest.approx(0, abs=1e-12)


def test_of_one_picture_there_is_no_covariance() -> None:
    one = moments(features(0, count=1)).compute()
    assert np.isnan(frechet(one, one))


def test_classes_are_counted() -> None:
    counts = ClassCounts(4)
    counts.update(torch.tensor([1, 1, 3]))
    counts.update(torch.tensor([0]))
    assert counts.compute().tolist() == [1, 2, 0, 1]
    counts.reset()
    assert counts.compute().sum() == 0
