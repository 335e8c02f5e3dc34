from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from cnnexp.statistics.concordance import concordance


def by_definition(true: np.ndarray, said: np.ndarray) -> float:
    right, count = 0.0, 0
    for i, j in combinations(range(len(true)), 2):
        if true[i] != true[j]:
            count += 1
            same_way = (true[i] - true[j]) * (said[i] - said[j])
            right += 1.0 if same_way > 0 else 0.5 if same_way == 0 else 0.0
    return right / count if count else math.nan


def test_it_is_its_definition_in_200_cases() -> None:
    """With ties in the truth, in what is said, in both, and in none."""
    generator = np.random.default_rng(0)
    for case in range(200):
        count, kinds = int(generator.integers(2, 40)), int(generator.integers(1, 30))
        if case % 2:
            true, said = generator.integers(kinds, size=count), generator.integers(kinds, size=count)
        else:
            true = generator.normal(size=count)
            said = true + generator.normal(size=count)
        assert concordance(true, said) == pytest.approx(by_definition(true, said), nan_ok=True), case


def test_of_two_classes_it_is_the_area_under_the_roc_curve() -> None:
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(1)
    label = generator.integers(2, size=3000)
    score = np.round(label + generator.normal(size=3000), 1)
    assert concordance(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-12)


def test_what_has_no_order() -> None:
    assert math.isnan(concordance(np.ones(4), np.arange(4)))
    assert math.isnan(concordance(np.arange(4), np.array([0, 1, 2, np.nan])))
    assert concordance(np.arange(4), np.zeros(4)) == 0.5
    assert concordance(np.arange(300_000) % 7, np.arange(300_000) % 7) == 1
