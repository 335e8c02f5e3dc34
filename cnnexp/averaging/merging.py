"""Boxes that a net says of several views of a picture, made one: weighted boxes fusion.

Source: Solovyev, Wang and Gabruseva 2021, "Weighted boxes fusion: ensembling boxes from different object detection
models", section 3. Views are its models. A view that does not see the place of an object is not counted as one that did
not find it, which the paper's models, that see the whole picture, do not need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.averaging.places import Place

SAME_FROM = 0.55
"""The least IoU of a box with the mean of those that it belongs to; the paper's."""

Found = Mapping[str, NDArray[Any]]
"""``boxes`` (n, 4), ``scores`` (n,) and ``labels`` (n,)."""


def fused(of_views: Sequence[tuple[Found, Place]], *, most: int | None = None) -> dict[str, NDArray[Any]]:
    """One set of boxes for a picture, in its pixels, the surest first.

    The surest box of all views comes first. One that overlaps the mean of boxes of its class by ``SAME_FROM`` joins
    them: their mean is weighed by the scores, and its score is their mean times the part of the views, of those that
    see its centre, that have it.

    Args:
        of_views: what the net says of each view, as parts of it, and where the view lies. most: boxes that are kept.

    Returns:
        ``boxes``, ``scores``, ``labels``, and ``joined``: for each box of the views, one view after the other, the row
        that it became a part of, -1 where that was not kept.
    """
    boxes = np.concatenate([place.back(found["boxes"]) for found, place in of_views])
    scores = np.concatenate([np.asarray(found["scores"], np.float64) for found, _ in of_views])
    labels = np.concatenate([np.asarray(found["labels"], np.int64) for found, _ in of_views])
    means, sums, weights = np.empty((0, 4)), np.empty((0, 4)), np.empty(0)
    members, classes = np.empty(0, np.int64), np.empty(0, np.int64)
    group = np.empty(len(scores), np.int64)
    for one in np.argsort(-scores, kind="stable"):
        overlap = np.where(classes == labels[one], _iou(boxes[one], means), -1.0)
        best = int(overlap.argmax()) if len(overlap) else -1
        if best < 0 or overlap[best] < SAME_FROM:
            best = len(means)
            means, sums = (np.concatenate([rows, np.zeros((1, 4))]) for rows in (means, sums))
            weights, members = np.append(weights, 0.0), np.append(members, 0)
            classes = np.append(classes, labels[one])
        group[one] = best
        sums[best] += scores[one] * boxes[one]
        weights[best] += scores[one]
        members[best] += 1
        means[best] = sums[best] / weights[best] if weights[best] > 0 else boxes[one]
    x, y = (means[:, 0] + means[:, 2]) / 2, (means[:, 1] + means[:, 3]) / 2
    seen = np.maximum(sum((place.sees(x, y).astype(int) for _, place in of_views), np.zeros(len(means), int)), 1)
    merged = weights / np.maximum(members, 1) * np.minimum(members, seen) / seen
    order = np.argsort(-merged, kind="stable")[:most]
    rows = np.full(len(means), -1)
    rows[order] = np.arange(len(order))
    return {"boxes": means[order], "scores": merged[order], "labels": classes[order], "joined": rows[group]}


def _iou(box: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    areas = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1)
    return np.asarray(shared / np.maximum(areas - shared, 1e-12))
