from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.embedding import pca
from cnnexp.visualize.word_map import SIZE_PX, components, word_map_image


def test_components_are_those_of_the_other_way() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 6)) * [5, 3, 1, 1, 1, 1]
    points, parts = components(rows)
    other = pca(rows.astype(np.float32))
    assert np.allclose(np.abs(points), np.abs(other.points), atol=1e-4)
    assert parts == pytest.approx(other.explained, abs=1e-5)


def test_one_direction_alone_has_a_second_of_nothing() -> None:
    points, parts = components(np.arange(9.0)[:, None])
    assert parts == pytest.approx((1, 0)) and np.allclose(points[:, 1], 0)


def test_words_are_drawn_and_those_that_would_lie_over_others_are_dots() -> None:
    rows = np.eye(10, 4, dtype=np.float32)
    apart = word_map_image(np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32), ["word"] * 10)
    together = word_map_image(rows, ["word"] * 10)
    ink = [int((np.asarray(image)[40:] < 60).all(2).sum()) for image in (apart, together)]
    assert apart.width >= SIZE_PX[0] and ink[0] > ink[1] > 0
