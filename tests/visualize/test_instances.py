"""Objects in colours of their own."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cnnexp.visualize.instances import OPACITY, Objects, colours_like, instances_image, painted
from cnnexp.visualize.palette import class_colour


def masks(*corners: tuple[int, int, int, int]) -> np.ndarray:
    found = np.zeros((len(corners), 20, 30), bool)
    for one, (top, left, bottom, right) in zip(found, corners, strict=True):
        one[top:bottom, left:right] = True
    return found


def test_an_object_is_outlined_in_its_colour_and_filled_with_a_part_of_it() -> None:
    drawn = np.asarray(painted(Image.new("RGB", (30, 20), (100, 100, 100)), masks((5, 5, 12, 15)), [2]))
    colour = np.array(class_colour(2))
    assert (drawn[5, 5:15] == colour).all() and (drawn[11, 5:15] == colour).all()
    assert np.abs(drawn[8, 10] - ((1 - OPACITY) * 100 + OPACITY * colour)).max() <= 1
    assert (drawn[4] == 100).all() and (drawn[12:] == 100).all()


def test_what_is_a_true_object_has_its_colour() -> None:
    true = masks((0, 0, 10, 10), (10, 10, 20, 20), (0, 20, 5, 30))
    found = masks((11, 10, 20, 20), (0, 0, 3, 3), (0, 0, 10, 9), (0, 0, 9, 10))
    assert colours_like(true, found) == [1, 3, 0, 4]  # of two that are the first the better one (tied: the earlier)
    assert colours_like(true[:0], found[:2]) == [0, 1] and colours_like(true, found[:0]) == []


def test_many_objects_are_counted_and_not_named() -> None:
    picture = np.zeros((20, 30, 1), np.uint8)
    many = masks(*[(row, column, row + 2, column + 2) for row in range(0, 20, 4) for column in range(0, 30, 4)])
    few = instances_image(picture, Objects(many[:3], np.zeros(3, int)), ["a"])
    assert few.size == instances_image(picture, Objects(many, np.zeros(len(many), int)), ["a"]).size
    nothing = Objects(many[:0], np.zeros(0, int), np.zeros(0))
    assert instances_image(picture, nothing, ["a"], truth=nothing).width > 2 * few.width
