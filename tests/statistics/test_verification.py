"""Pairs, their ROC curve and thresholds: against scikit-learn, against loops, and where there is nothing to tell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from cnnexp.statistics import verification
from cnnexp.statistics.verification import Pairs, nearest_others, pairs_of, places_of_pairs, recall_at_1, roc_of


def embedded(count: int = 60, classes: int = 5, size: int = 3, seed: int = 0) -> tuple[NDArray[np.float64], NDArray]:
    """Directions around one for each class, some of them twice, so that similarities are tied."""
    generator = np.random.default_rng(seed)
    identity = generator.integers(0, classes, count)
    rows = generator.normal(size=(classes, size))[identity] + 0.8 * generator.normal(size=(count, size))
    rows[: count // 4] = rows[-(count // 4) :]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), identity


def listed(rows: NDArray[np.float64], identity: NDArray) -> tuple[list[int], list[float]]:
    """Whether each pair is of one identity, and its similarity."""
    pairs = [(a, b) for a in range(len(rows)) for b in range(a)]
    return [int(identity[a] == identity[b]) for a, b in pairs], [float(rows[a] @ rows[b]) for a, b in pairs]


@pytest.mark.parametrize("seed", range(5))
def test_auc_and_roc_are_scikit_learns(seed: int) -> None:
    rows, identity = embedded(seed=seed)
    pairs = pairs_of(np.round(rows, 2), identity)  # rounded, many similarities are equal
    true = np.r_[np.ones(len(pairs.same)), np.zeros(len(pairs.different))]
    said = np.r_[pairs.same, pairs.different]
    assert pairs.auc == pytest.approx(roc_auc_score(true, said), abs=1e-12)
    roc, (accepts, rights, thresholds) = roc_of(pairs), roc_curve(true, said, drop_intermediate=False)
    np.testing.assert_allclose(roc.false_accepts, accepts, atol=1e-12)
    np.testing.assert_allclose(roc.true_accepts, rights, atol=1e-12)
    np.testing.assert_array_equal(roc.threshold, thresholds)


def test_pairs_are_all_pairs() -> None:
    rows, identity = embedded()
    alike, similar = listed(rows, identity)
    pairs = pairs_of(rows, identity)
    for found, kind in ((pairs.same, 1), (pairs.different, 0)):
        own = sorted(one for one, is_same in zip(similar, alike, strict=True) if is_same == kind)
        np.testing.assert_allclose(found, own, atol=1e-12)


def test_rates_are_counted_at_a_threshold() -> None:
    pairs = Pairs(np.array([0.1, 0.5, 0.5, 0.9]), np.array([0.0, 0.2, 0.5, 0.6]))
    assert (pairs.false_accepts(0.5), pairs.false_rejects(0.5)) == (0.5, 0.25), "at the threshold is accepted"
    assert pairs.accuracy(0.5) == 1 - (0.5 + 0.25) / 2
    assert pairs.auc == (4 * 1 + 2 * (2 + 0.5) + 1) / 16, "ties count half"


def test_the_equal_error_is_where_both_rates_meet() -> None:
    assert roc_of(Pairs(np.array([0.8, 0.9]), np.array([0.1, 0.2]))).equal_error == 0
    assert roc_of(Pairs(np.array([0.1, 0.2]), np.array([0.8, 0.9]))).equal_error == 1
    # (0, 0), (0, 2/3), (1/2, 2/3), (1, 1): on the line from (0, 2/3) to (1/2, 2/3) at 1/3
    found = roc_of(Pairs(np.array([0.1, 0.8, 0.9]), np.array([0.2, 0.5])))
    assert found.equal_error == pytest.approx(1 / 3)


@pytest.mark.parametrize("seed", range(3))
def test_the_equal_error_agrees_with_an_interpolated_curve(seed: int) -> None:
    roc = roc_of(pairs_of(*embedded(seed=seed)))
    at = np.linspace(0, 1, 200_001)
    rejects = 1 - np.interp(at, roc.false_accepts, roc.true_accepts)
    assert roc.equal_error == pytest.approx(at[np.abs(at - rejects).argmin()], abs=1e-4)


def test_the_most_accurate_threshold_is_found_by_trying_all() -> None:
    pairs = pairs_of(*embedded())
    tried = np.linspace(-1.1, 1.1, 20_001)
    threshold = roc_of(pairs).most_accurate()
    assert pairs.accuracy(threshold) >= max(pairs.accuracy(one) for one in tried) - 1e-12
    assert threshold not in pairs.same and threshold not in pairs.different, "it lies between two similarities"


def test_a_threshold_keeps_false_accepts_below_a_part() -> None:
    pairs = pairs_of(*embedded())
    for part in (0.0, 0.01, 0.1, 0.5):
        threshold = roc_of(pairs).accepting_falsely(part)
        assert pairs.false_accepts(threshold) <= part
        lower = pairs.different[pairs.different < threshold]
        assert not len(lower) or pairs.false_accepts(lower[-1]) > part, "and no lower one does"


def test_a_threshold_above_all_and_below_all() -> None:
    wrong = Pairs(np.array([0.1]), np.array([0.9]))
    assert roc_of(wrong).accepting_falsely(0.0) > 0.9, "nothing at all is accepted then"
    assert roc_of(Pairs(np.array([0.5]), np.array([0.5]))).most_accurate() > 0.5


def test_recall_at_1_is_that_of_a_loop() -> None:
    rows, identity = embedded(41)
    identity[0] = 99  # alone, so it cannot be found
    rows += 1e-3 * np.random.default_rng(1).normal(size=rows.shape)
    hits = []
    for a in range(1, len(rows)):
        best = max((b for b in range(len(rows)) if b != a), key=lambda b: float(rows[a] @ rows[b]))
        hits.append(identity[best] == identity[a])
        assert nearest_others(rows)[a] == best
    assert recall_at_1(rows, identity) == pytest.approx(np.mean(hits))
    assert math.isnan(recall_at_1(rows[:3], np.arange(3)))


def test_of_many_samples_pairs_are_drawn_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, identity = embedded(300, classes=4)
    whole = pairs_of(rows, identity)
    monkeypatch.setattr(verification, "MOST_SAMPLES", 100)
    monkeypatch.setattr(verification, "MOST_PAIRS", 40_000)
    (first, second), (one, other) = places_of_pairs(identity)
    assert (identity[first] == identity[second]).all() and (first != second).all() and len(first) == 40_000
    assert (identity[one] != identity[other]).all() and len(one) > 20_000
    drawn = pairs_of(rows, identity)
    assert drawn.auc == pytest.approx(whole.auc, abs=0.01)
    counts = np.bincount(identity)
    shares = np.bincount(identity[first], minlength=4) / len(first)
    np.testing.assert_allclose(shares, counts * (counts - 1) / (counts * (counts - 1)).sum(), atol=0.01)
    np.testing.assert_array_equal(pairs_of(rows, identity).same, drawn.same)


def test_of_many_samples_without_a_pair_none_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MOST_SAMPLES", 3)
    (first, _), (one, _) = places_of_pairs(np.arange(10))
    assert not len(first) and len(one)


def test_without_pairs_of_a_kind_there_is_no_number() -> None:
    alone = pairs_of(np.eye(3), np.arange(3))
    assert math.isnan(alone.auc) and math.isnan(alone.false_rejects(0.5)) and alone.false_accepts(0.5) == 0
