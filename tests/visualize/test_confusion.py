from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.visualize.confusion import confusion_image, draw_confusion, row_shares


def test_rows_are_divided_by_their_sums_and_empty_rows_stay_zero() -> None:
    shares = row_shares(np.array([[3, 1], [0, 0]]))
    assert shares.tolist() == [[0.75, 0.25], [0.0, 0.0]]


def blue_centre(image: Image.Image) -> tuple[float, float]:
    """Where the dark blue of a full cell lies, as fractions of the picture, without the colour bar at the right."""
    pixels = np.asarray(image).astype(int)[:, : int(0.8 * image.width)]
    dark = (pixels[..., 2] - pixels[..., 0] > 60) & (pixels[..., 0] < 30)
    rows, columns = np.nonzero(dark)
    assert len(rows) > 300
    return rows.mean() / image.height, columns.mean() / image.width


def test_rows_are_the_true_class_and_columns_the_predicted_one() -> None:
    matrix = np.zeros((4, 4), int)
    matrix[0, 3] = 9
    row, column = blue_centre(confusion_image(matrix, list("abcd")))
    assert row < 0.3
    assert column > 0.5
    row, column = blue_centre(confusion_image(matrix.T, list("abcd")))
    assert row > 0.55
    assert column < 0.4


def test_an_error_of_one_in_a_hundred_can_be_seen() -> None:
    matrix = np.array([[99, 1, 0], [0, 100, 0], [0, 0, 100]])
    with_error, without = (np.asarray(confusion_image(m, list("abc"))) for m in (matrix, np.eye(3, dtype=int) * 100))
    tinted = (np.abs(with_error.astype(int) - without).sum(axis=2) > 20).sum()
    assert tinted > 3000


def test_a_hundred_classes_have_cells_that_a_count_can_be_read_in(tmp_path: Path) -> None:
    matrix = np.eye(100, dtype=int) * 87
    with Image.open(draw_confusion(matrix, [f"class {place}" for place in range(100)], tmp_path / "c.png")) as image:
        assert min(image.size) > 100 * 20
        pixels = np.asarray(image.convert("RGB")).astype(int)
    diagonal = (pixels[..., 2] - pixels[..., 0] > 60) & (pixels[..., 0] < 30)
    row = np.flatnonzero(diagonal.any(axis=1))
    assert (row[-1] - row[0]) / 100 > 20, "pixels for each cell"


@pytest.mark.parametrize(("shape", "names"), [((2, 3), "ab"), ((3, 3), "ab"), ((0, 0), "")])
def test_a_matrix_that_does_not_fit_the_classes_is_refused(shape: tuple[int, int], names: str) -> None:
    with pytest.raises(ValueError, match="must be square"):
        confusion_image(np.zeros(shape, int), list(names))


def test_odd_names_and_no_samples_are_drawn() -> None:
    image = confusion_image(np.zeros((2, 2), int), ["$a_", "a very\nlong name of a class \ud800 漢"], title="$x_")
    assert image.width > 200
