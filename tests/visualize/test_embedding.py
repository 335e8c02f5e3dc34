from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from cnnexp.visualize.embedding import pca, tsne
from cnnexp.visualize.embedding_chart import pictures_image, planes_image


def clusters(count: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Three tight ones in ten dimensions."""
    generator = np.random.default_rng(0)
    middles = 10 * generator.normal(size=(3, 10))
    labels = np.repeat(np.arange(3), count)
    return (middles[labels] + generator.normal(size=(3 * count, 10))).astype(np.float32), labels


def test_components_are_those_of_scikit_learn() -> None:
    """Signs too."""
    rows = np.random.default_rng(1).normal(size=(40, 7)).astype(np.float32) * np.arange(1, 8) + 5
    theirs = PCA(2, svd_solver="full").fit(rows.astype(np.float64))
    ours = pca(rows.astype(np.float32))
    assert ours.points == pytest.approx(theirs.transform(rows.astype(np.float64)), abs=1e-4)
    assert ours.explained == pytest.approx(theirs.explained_variance_ratio_, rel=1e-5)


def test_points_of_a_plane_are_kept_as_they_lie() -> None:
    """Two numbers: nothing is lost, and all of the variance is there."""
    ours = pca(np.random.default_rng(1).normal(size=(30, 2)).astype(np.float32))
    assert ours.trustworthiness == 1
    assert sum(ours.explained or ()) == pytest.approx(1)


def test_rows_that_are_all_alike_lie_on_one_point() -> None:
    assert np.abs(pca(np.ones((9, 3), np.float32)).points).max() == 0


def test_tsne_keeps_neighbours_and_is_the_seed_s() -> None:
    rows, labels = clusters()
    plane = tsne(rows, seed=0)
    apart = np.linalg.norm(plane.points[:, None] - plane.points, axis=2) + 1e9 * np.eye(len(rows))
    assert (labels[apart.argmin(1)] == labels).all()
    assert plane.trustworthiness > 0.9
    assert tsne(rows, seed=0).points.tolist() == plane.points.tolist()


def test_of_few_samples_the_perplexity_is_a_third() -> None:
    rows, _ = clusters(4)
    assert tsne(rows, 0, 500).perplexity == pytest.approx(11 / 3)
    assert tsne(rows, 0, 2).perplexity == 2


def test_pictures_lie_where_their_points_do() -> None:
    """The second upwards; of two at one place the first."""
    plane = pca(np.array([[0, 0], [0, 0], [9, 1], [-9, -1]], np.float32))
    colours = ["red", "blue", "lime", "black"]
    sheet = pictures_image(plane, [Image.new("RGB", (8, 8), one) for one in colours], None, "title")
    found = {colour: count for count, colour in sheet.getcolors(1 << 20)}
    assert (255, 0, 0) in found and (0, 255, 0) in found and (0, 0, 255) not in found
    columns = np.argwhere((np.asarray(sheet) == (0, 255, 0)).all(2))[:, 1]
    assert (columns.min() > sheet.width / 2) == (plane.points[2, 0] > 0)


def test_a_legend_names_the_classes() -> None:
    rows, labels = clusters()
    named, plain = (planes_image([pca(rows)], one, ["a", "b", "$c"], "title") for one in (labels, None))
    assert len(named.getcolors(1 << 20)) > len(plain.getcolors(1 << 20))
