"""Codes in the plane against scikit-learn's components, and pictures where their codes lie."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from cnnexp.visualize.codes import codes_image, in_plane, map_image


def test_more_than_two_numbers_are_shown_by_their_components() -> None:
    codes = np.random.default_rng(0).normal(size=(200, 5)) * [5, 1, 3, 0.1, 1]
    points, names = in_plane(codes)
    reference = PCA(2).fit(codes)
    np.testing.assert_allclose(np.abs(points), np.abs(reference.transform(codes)), atol=1e-9)
    assert f"{reference.explained_variance_ratio_[0]:.0%}" in names[0]


def test_one_and_two_numbers_are_shown_as_they_are() -> None:
    codes = np.random.default_rng(0).normal(size=(20, 2))
    assert np.array_equal(in_plane(codes)[0], codes)
    assert np.array_equal(in_plane(codes[:, :1])[0][:, 0], codes[:, 0])


@pytest.mark.parametrize("classes", [None, 3, 40])
def test_points_are_drawn_with_and_without_classes(classes: int | None) -> None:
    codes = np.random.default_rng(0).normal(size=(60, 3))
    labels = None if classes is None else np.arange(60) % classes
    image = codes_image(codes, labels, [f"${n}" for n in range(classes or 0)])
    assert image.width > 500 and len(image.getcolors(1 << 20) or []) > 50


def test_a_map_has_its_second_number_upwards() -> None:
    black, white = np.zeros((4, 4, 1), np.uint8), np.full((4, 4, 1), 255, np.uint8)
    image = np.asarray(map_image([black, black, white, white], np.array([0.0, 1.0]), np.array([0.0, 1.0])))
    middle = image.shape[1] // 2
    assert image[image.shape[0] // 4, middle].mean() > 200, "the larger second number is above"
    assert image[image.shape[0] * 3 // 4, middle].mean() < 50
