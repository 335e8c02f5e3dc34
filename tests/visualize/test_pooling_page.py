"""What the pictures of pooling hold, read from their pixels and axes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cnnexp.visualize.palette import class_colour
from cnnexp.visualize.png import new_figure
from cnnexp.visualize.pooling import pooled, shift_row, windows
from cnnexp.visualize.pooling_page import _CHANGED, _draw_row, matrix_page, picture_page, row_page

MATRIX = np.arange(16.0).reshape(4, 4) % 10


def places(image: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere((np.asarray(image) == colour).all(axis=2))


def test_each_window_is_framed_in_the_colour_of_its_result() -> None:
    found = windows(MATRIX, 2, 2)
    page = matrix_page(MATRIX, found, {"max": pooled(MATRIX[None], "max", 2, 2)[0]}, "title")
    for number, window in enumerate(found):
        at = places(page, class_colour(number))
        of_input, of_result = at[at[:, 1] < 180], at[at[:, 1] >= 180]
        side = of_input.max(axis=0) - of_input.min(axis=0)
        assert 70 < side.min() <= side.max() < 80  # two cells of 40 pixels, and the frame is inside of them
        assert (of_input.min(axis=0)[1] - 16) // 40 == window.left
        assert len(of_result)


def test_more_windows_than_colours_are_not_framed() -> None:
    matrix = np.arange(100.0).reshape(10, 10)
    page = matrix_page(matrix, windows(matrix, 3, 1), {"max": pooled(matrix[None], "max", 3, 1)[0]}, "title")
    assert not len(places(page, class_colour(0)))


def test_the_pictures_stand_beside_each_other() -> None:
    picture = np.full((300, 260, 3), 10, np.uint8)
    page = picture_page(picture, {"max": np.full((30, 26, 3), 200, np.uint8)}, {"max": "a line"}, "title")
    assert len(places(page, (10, 10, 10))) == 300 * 260
    assert len(places(page, (200, 200, 200))) == 30 * 26 * 9 * 9  # brought to 256 at least


def test_changed_values_of_a_row_are_shaded() -> None:
    row = shift_row(np.array([0.1, 1, 0.2, 0.1]), "max", 3, 1, 1, [0.3])
    shades = []
    for part in (row.before, row.after):
        axes = new_figure(5, 3).add_subplot()
        _draw_row(axes, row, part, "title")
        boxes = [text for text in axes.texts if text.get_bbox_patch() is not None]
        assert [text.get_text() for text in boxes[4:]] == [f"{value:g}" for value in part.pooled]
        shades.append([_hex(text.get_bbox_patch().get_facecolor()) == _CHANGED for text in boxes])
        assert len(axes.lines) == 2 + 3 + 3 + 2
    assert shades == [[False] * 8, [True, True, True, True, True, False, False, True]]
    assert row_page([row], 1).width > 800


def _hex(colour: tuple[float, ...]) -> str:
    from matplotlib.colors import to_hex

    return to_hex(colour).upper()
