from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from cnnexp.visualize.neighbours import agreement, by_chance, directions, distances, nearest
from cnnexp.visualize.neighbours_chart import Shown, neighbours_image


def rows(count: int, size: int, seed: int, offset: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(count, size)) + offset).astype(np.float32)


@pytest.mark.parametrize(("size", "offset"), [(3, 0.0), (5000, 1000.0)])
def test_neighbours_and_distances_are_those_of_scikit_learn(size: int, offset: float) -> None:
    """Around a large mean too, where squares of whole values would cancel."""
    gallery, queries = rows(60, size, 0, offset), rows(7, size, 1, offset)
    theirs = NearestNeighbors(n_neighbors=5, algorithm="brute" if size == 3 else "kd_tree").fit(gallery)
    lengths, places = theirs.kneighbors(queries)
    ours = distances(queries, gallery)
    near = nearest(ours, np.full(7, -1), 5)
    assert near.tolist() == places.tolist()
    assert np.take_along_axis(ours, near, 1) == pytest.approx(lengths, rel=1e-6)


def test_cosines_order_as_those_of_scikit_learn() -> None:
    gallery, queries = rows(60, 4, 0), rows(7, 4, 1)
    theirs = NearestNeighbors(n_neighbors=5, metric="cosine").fit(gallery)
    lengths, places = theirs.kneighbors(queries)
    ours = distances(directions(queries), directions(gallery))
    near = nearest(ours, np.full(7, -1), 5)
    assert near.tolist() == places.tolist()
    assert np.take_along_axis(ours, near, 1) ** 2 / 2 == pytest.approx(lengths, abs=1e-6)
    assert directions(np.zeros((1, 3), np.float32)).tolist() == [[0, 0, 0]]


def test_a_query_is_no_neighbour_of_itself_and_its_twin_is() -> None:
    apart = distances(rows(3, 4, 0)[[0, 1, 1, 2]], rows(3, 4, 0)[[0, 1, 1, 2]])
    assert nearest(apart, np.arange(4), 1)[:, 0].tolist()[1:3] == [2, 1]
    assert nearest(apart, np.array([-1, -1, -1, -1]), 1)[:, 0].tolist() == [0, 1, 1, 3]
    for place, row in enumerate(nearest(apart, np.arange(4), 6).tolist()):  # more are asked for than there are
        assert sorted([*row, place]) == [0, 1, 2, 3]
    assert nearest(apart, np.full(4, -1), 6).shape == (4, 4)


def test_agreement_is_that_of_a_classifier_that_leaves_each_one_out() -> None:
    values, labels = rows(40, 2, 3), np.random.default_rng(0).integers(0, 3, 40)
    right = []
    for place in range(40):
        others = np.arange(40) != place
        known = KNeighborsClassifier(1).fit(values[others], labels[others])
        right.append(known.predict(values[place][None])[0] == labels[place])
    assert agreement(distances(values, values), labels) == pytest.approx(np.mean(right))


def test_by_chance() -> None:
    """Of 0, 0, 1: two have one alike among two others, one has none: (1/2 + 1/2 + 0) / 3."""
    assert by_chance(np.array([0, 0, 1])) == pytest.approx(1 / 3)


def test_pictures_of_another_class_are_framed() -> None:
    small, large = np.zeros((8, 8, 1), np.uint8), np.full((300, 200, 3), 255, np.uint8)
    block = [[Shown(small, "a"), Shown(large, "b", other=True)], [Shown(small, "a"), Shown(small, "a")]]
    image = neighbours_image([Shown(small, "a")], [block], ["in pixels", "in features"], "title")
    plain = neighbours_image([Shown(small, "a")], [[block[1], block[1]]], ["in pixels", "in features"], "title")
    assert any(colour == (213, 94, 0) for _, colour in image.getcolors(1 << 20))
    assert not any(colour == (213, 94, 0) for _, colour in plain.getcolors(1 << 20))
