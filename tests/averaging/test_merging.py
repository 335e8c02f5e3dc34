"""Weighted boxes fusion, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnexp.averaging.merging import fused
from cnnexp.averaging.places import Place, Turn

WHOLE = Place(0, 0, 100, 100, (100, 100))


def said(*rows: tuple[list[float], float, int]) -> dict[str, Any]:
    """In pixels of 100 by 100."""
    return {
        "boxes": np.array([row[0] for row in rows]).reshape(-1, 4) / 100,
        "scores": np.array([row[1] for row in rows]),
        "labels": np.array([row[2] for row in rows], np.int64),
    }


def test_boxes_of_one_object_are_a_mean_by_their_scores() -> None:
    """Of 0.9 and 0.3: three quarters of the first and one of the second; the score is their mean."""
    first, second = said(([10, 10, 30, 30], 0.9, 1)), said(([14, 10, 34, 30], 0.3, 1))
    merged = fused([(first, WHOLE), (second, WHOLE)])
    assert merged["boxes"] == pytest.approx(np.array([[11, 10, 31, 30]]))
    assert merged["scores"] == pytest.approx([0.6])
    assert merged["labels"].tolist() == [1]


def test_what_one_of_two_views_does_not_find_is_half_as_sure() -> None:
    merged = fused([(said(([10, 10, 30, 30], 0.8, 0)), WHOLE), (said(), WHOLE)])
    assert merged["scores"] == pytest.approx([0.4])


def test_a_view_that_does_not_see_it_is_not_asked() -> None:
    left = Place(0, 0, 100, 50, (100, 100))
    merged = fused([(said(([70, 10, 90, 30], 0.8, 0)), WHOLE), (said(), left)])
    assert merged["scores"] == pytest.approx([0.8])


def test_other_classes_and_other_places_stay_apart() -> None:
    merged = fused(
        [
            (said(([10, 10, 30, 30], 0.8, 0), ([10, 10, 30, 30], 0.6, 1)), WHOLE),
            (said(([18, 10, 38, 30], 0.7, 0)), WHOLE),
        ]
    )
    # an IoU of 12 / 28 is below 0.55
    assert merged["scores"] == pytest.approx([0.4, 0.35, 0.3])
    assert merged["labels"].tolist() == [0, 0, 1]
    assert merged["joined"].tolist() == [0, 2, 1], "the boxes of the first view, and that of the second"
    assert len(fused([(said(([0, 0, 9, 9], 0.8, 0), ([20, 20, 40, 40], 0.7, 0)), WHOLE)], most=1)["scores"]) == 1


def test_views_that_agree_are_what_each_of_them_says() -> None:
    """A picture and its mirror image, of which a net says mirrored boxes."""
    generator = np.random.default_rng(0)
    corner = generator.uniform(0, 70, (6, 2))
    boxes = np.concatenate([corner, corner + generator.uniform(5, 25, (6, 2))], 1)
    rows = [
        (box.tolist(), score, place)
        for place, (box, score) in enumerate(zip(boxes, np.linspace(0.9, 0.4, 6), strict=True))
    ]
    mirrored = [([100 - x2, y1, 100 - x1, y2], score, label) for (x1, y1, x2, y2), score, label in rows]
    turned = Place(0, 0, 100, 100, (100, 100), Turn(mirrored=True))
    merged = fused([(said(*rows), WHOLE), (said(*mirrored), turned)])
    assert merged["boxes"] == pytest.approx(boxes)
    assert merged["scores"] == pytest.approx([row[1] for row in rows])


def test_nothing_found_is_nothing() -> None:
    merged = fused([(said(), WHOLE), (said(), WHOLE)])
    shapes = {"boxes": (0, 4), "scores": (0,), "labels": (0,), "joined": (0,)}
    assert {name: value.shape for name, value in merged.items()} == shapes
    assert fused([(said(([0, 0, 1, 1], 0.0, 0)), WHOLE)])["scores"].tolist() == [0.0], "a score of 0 divides nothing"
