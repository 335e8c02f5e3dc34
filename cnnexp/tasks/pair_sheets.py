"""What a test of embeddings looks like: ROC curves, the pairs that mislead most, and a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.answers.base import Columns
from cnnexp.data.loading import Data
from cnnexp.statistics.verification import Pairs, pairs_of, places_of_pairs, roc_of, similarities
from cnnexp.tasks.pixel_rows import rows_of_pixels

if TYPE_CHECKING:
    from cnnexp.tasks.metric import MetricLearning

_MISTAKEN = 12
"""Pairs of each kind that are shown, no picture twice."""


def drawn(task: MetricLearning, data: Data, predictions: Columns) -> dict[str, Any]:
    """Pictures by file name without suffix; none where a test has no pairs of both kinds."""
    rows, identities = predictions["embedding"].astype(np.float64), predictions["target"]
    pairs = pairs_of(rows, identities)
    if not len(pairs.same) or not len(pairs.different):
        return {}
    places = mistaken(rows, identities)
    similar = similarities(rows, *places.T).tolist()
    stored = data.split("test").batch(torch.from_numpy(predictions["index"][places.ravel()]))
    shown = task.facts.input.pictures(task.preparation.stored(stored))
    answer = task.answer
    return {
        "roc": answer.roc(_curves(task, data, pairs), _chosen(task, pairs)),
        "mistaken_pairs": answer.pair_sheet(shown, similar, identities[places.ravel()].tolist()),
        "embeddings": answer.scattered(rows, identities),
    }


def mistaken(rows: NDArray[np.float64], identities: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of the pairs of two identities that are most similar, then of those of one that are least, (P, 2)."""
    same, different = places_of_pairs(identities)
    chosen = [_first(different, -similarities(rows, *different)), _first(same, similarities(rows, *same))]
    return np.concatenate(chosen)


def _first(places: tuple[NDArray[np.int64], NDArray[np.int64]], order: NDArray[np.float64]) -> NDArray[np.int64]:
    """The first pairs in this order, no sample in two of them."""
    met: set[int] = set()
    found = []
    for place in np.argsort(order, kind="stable"):
        pair = int(places[0][place]), int(places[1][place])
        if not met & set(pair):
            met |= set(pair)
            found.append(pair)
        if len(found) == _MISTAKEN:
            break
    return np.array(found, np.int64).reshape(-1, 2)


def _curves(task: MetricLearning, data: Data, pairs: Pairs) -> dict[str, Any]:
    pixels = pairs_of(*rows_of_pixels(task, data, "test"))
    curves = {
        f"embeddings, AUC {pairs.auc:.3f}": pairs,
        f"{task.facts.input.noun}s themselves, AUC {pixels.auc:.3f}": pixels,
    }
    found = {}
    for name, one in curves.items():
        roc = roc_of(one)
        found[name] = roc.false_accepts, roc.true_accepts, roc.equal_error
    return found


def _chosen(task: MetricLearning, pairs: Pairs) -> tuple[float, float] | None:
    threshold = task.decided.threshold
    if threshold is None:
        return None
    return pairs.false_accepts(threshold.similarity), 1 - pairs.false_rejects(threshold.similarity)
