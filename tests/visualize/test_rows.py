"""Rows of originals and draws on one sheet."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cnnexp.visualize.palette import class_colour
from cnnexp.visualize.rows import Cell, rows_image


def grey(height: int, width: int, value: int = 128) -> np.ndarray:
    return np.full((height, width, 1), value, np.uint8)


def has(image: Image.Image, colour: tuple[int, int, int], least: int = 1) -> bool:
    return int((np.asarray(image) == colour).all(-1).sum()) >= least


def test_small_pictures_are_enlarged_by_a_whole_factor() -> None:
    """A red pixel of a 16-pixel picture is a square of 8 by 8."""
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[3, 5] = (255, 0, 0)
    sheet = np.asarray(rows_image([[Cell(picture)]], ["as stored"]))
    rows, columns = np.nonzero((sheet == (255, 0, 0)).all(-1))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1, len(rows)) == (8, 8, 64)


def test_large_pictures_are_made_smaller_so_that_the_sheet_fits_a_screen() -> None:
    sheet = rows_image([[Cell(grey(600, 800))] * 6], ["x"] * 6)
    assert sheet.width <= 1820


def test_boxes_and_masks_are_drawn_in_their_colours_and_named() -> None:
    boxed = Cell(grey(64, 64), boxes=np.array([[8, 8, 40, 40], [0, 0, 0, 0]]), classes=np.array([1, -1]))
    sheet = rows_image([[boxed]], ["x"], names=("ant", "bee"))
    assert has(sheet, class_colour(1), 100) and not has(sheet, class_colour(0))
    mask = np.zeros((64, 64), np.uint8)
    mask[20:30, 20:30] = 1
    masked = rows_image([[Cell(grey(64, 64), mask=mask)]], ["x"], mask_names=("background", "leaf"))
    mixed = np.array([(128 + part) / 2 for part in class_colour(1)])
    assert (np.abs(np.asarray(masked, float) - mixed) <= 1).all(-1).sum() >= 400
    assert has(masked, class_colour(1), 50) and not has(masked, class_colour(0))


def test_a_class_of_masks_and_boxes_has_one_colour() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[10:30, 10:30] = 1
    cell = Cell(grey(64, 64), mask=mask, boxes=np.array([[10, 10, 30, 30]]), classes=np.array([0]))
    sheet = rows_image([[cell]], ["x"], names=("leaf",), mask_names=("background", "leaf"))
    assert has(sheet, class_colour(1), 100) and not has(sheet, class_colour(0))


@pytest.mark.parametrize("caption", ["", "cat", "0.75 automobile + 0.25 somethingelse", "x" * 80, "a\nb", "\ud800"])
def test_captions_never_widen_the_sheet(caption: str) -> None:
    plain = rows_image([[Cell(grey(32, 32))] * 3], ["x"] * 3)
    captioned = rows_image([[Cell(grey(32, 32), caption)] * 3], ["x"] * 3)
    assert captioned.width == plain.width
    assert (captioned.height > plain.height) == bool(caption)


def test_pictures_of_other_sizes_stand_in_one_row() -> None:
    sheet = rows_image([[Cell(grey(40, 48)), Cell(grey(32, 32))]], ["as stored", "epoch 1"], title="data=x")
    assert sheet.width >= 3 * (48 + 32)


def test_a_heading_wider_than_its_pictures_is_whole() -> None:
    narrow = Cell(grey(128, 8))
    assert rows_image([[narrow]], ["a rather long heading"]).width > 120
