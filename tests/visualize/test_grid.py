from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.grid import grid_image


def tones(count: int, side: int = 28) -> list[np.ndarray]:
    return [np.full((side, side, 1), 3 * place, np.uint8) for place in range(count)]


def test_pictures_stand_in_reading_order_enlarged_by_whole_factors() -> None:
    image = grid_image(tones(5), columns=3)
    cell = 28 * 4 + 8
    assert image.size == (3 * cell + 8, 2 * cell + 8)
    pixels = np.asarray(image)
    for place in range(5):
        left, top = 8 + (place % 3) * cell, 8 + (place // 3) * cell
        assert (pixels[top : top + 112, left : left + 112] == 3 * place).all()
    assert (pixels[8 + cell :, 8 + 2 * cell :] == 255).all()


def test_a_caption_stands_below_its_picture_and_not_on_it() -> None:
    plain, captioned = grid_image(tones(1)), grid_image(tones(1), ["seven"])
    assert captioned.height > plain.height
    pixels = np.asarray(captioned)
    assert (pixels[8:120, 8:120] == 0).all()
    assert (pixels[122:-4] < 128).any()


def test_marked_pictures_are_framed() -> None:
    pixels = np.asarray(grid_image(tones(2), columns=2, marked={1}))
    assert pixels[60, 8 + 120 - 2].tolist() == [213, 94, 0]
    assert pixels[60, 6].tolist() == [255, 255, 255]


def test_without_columns_the_sheet_is_about_square_and_never_too_wide() -> None:
    image = grid_image(tones(64))
    assert 0.8 < image.width / image.height < 1.25
    assert grid_image([np.zeros((50, 900, 3), np.uint8)] * 4).width < 1000


def test_a_single_column_is_as_wide_as_its_pictures() -> None:
    assert grid_image(tones(3), columns=1).width == 28 * 4 + 16


def test_what_cannot_be_a_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="a picture at least"):
        grid_image([])
    with pytest.raises(ValueError, match="1 captions for 2"):
        grid_image(tones(2), ["one"])
