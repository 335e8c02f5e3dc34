"""ROC curves and pairs, drawn: each curve through its own points, pairs of two identities framed."""

from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.grid import grid_image
from cnnexp.visualize.pairs import pairs_image
from cnnexp.visualize.roc import roc_image

BLUE, GREY, VERMILION = (0, 114, 178), (154, 154, 154), (213, 94, 0)


def pixels_of(image: object, colour: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns of pixels of about one colour."""
    return np.argwhere((np.abs(np.asarray(image)[..., :3].astype(int) - colour) < 12).all(-1))


def test_a_better_curve_lies_above() -> None:
    accepts = np.linspace(0, 1, 500)
    curves = {"good": (accepts, accepts**0.1, 0.06), "poor": (accepts, accepts, 0.5)}
    image = roc_image(curves, (0.3, 0.9))
    blue, grey = pixels_of(image, BLUE), pixels_of(image, GREY)
    middle = image.width // 2
    assert blue[blue[:, 1] == middle][:, 0].min() < grey[grey[:, 1] == middle][:, 0].min() - 50
    assert len(pixels_of(image, VERMILION)) > 20, "the threshold that was chosen"
    assert len(pixels_of(roc_image(curves), VERMILION)) == 0


def test_pairs_of_two_identities_are_framed() -> None:
    pictures = [np.full((8, 8, 1), 40 * number, np.uint8) for number in range(4)]
    framed = pairs_image(pictures, [0.91, 0.12], ["anna", "ben", "cleo", "cleo"])
    captions = ["anna, 0.91", "ben", "cleo, 0.12", "cleo"]
    assert np.array_equal(np.asarray(framed), np.asarray(grid_image(pictures, captions, columns=8, marked=[0, 1])))


@pytest.mark.parametrize("points", [3, 10_000])
def test_curves_of_any_length_are_drawn(points: int) -> None:
    accepts = np.linspace(0, 1, points)
    assert roc_image({"$one": (accepts, np.sqrt(accepts), 0.38)}).width > 500
