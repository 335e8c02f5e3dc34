from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cnnexp.visualize.boxes import Rectangle, boxes_image
from cnnexp.visualize.palette import class_colour

NAMES = ["cell", "nucleus", "platelet"]
GREY = np.full((500, 600, 3), 90, np.uint8)
BOX = np.array([[100.0, 200.0, 300.0, 260.0]])
CLASS = np.array([1])


def array(image: Image.Image) -> np.ndarray:
    return np.asarray(image)


def margin_of(image: Image.Image, picture: np.ndarray, factor: int = 1) -> int:
    return (image.width - picture.shape[1] * factor) // 2


def test_the_frame_lies_around_the_object_in_the_colour_of_its_class() -> None:
    image = boxes_image(GREY, BOX, CLASS, NAMES)
    pixels, margin = array(image), margin_of(image, GREY)
    colour = class_colour(1)
    middle = margin + 230
    assert tuple(pixels[middle, margin + 100 - 1]) == colour
    assert tuple(pixels[middle, margin + 300]) == colour
    assert tuple(pixels[margin + 260, margin + 200]) == colour
    inside = pixels[margin + 200 : margin + 260, margin + 100 : margin + 300]
    assert (inside == 90).all(), "the object itself is not painted over"


def test_a_label_stands_above_its_box() -> None:
    image = boxes_image(GREY, BOX, CLASS, NAMES, scores=np.array([0.5]))
    pixels, margin = array(image), margin_of(image, GREY)
    above = pixels[margin + 182 : margin + 196, margin + 102 : margin + 140]
    assert (above == class_colour(1)).all(axis=2).mean() > 0.4


def test_a_label_has_room_even_at_the_edge_of_the_picture() -> None:
    image = boxes_image(GREY, np.array([[0.0, 0.0, 600.0, 500.0]]), CLASS, NAMES)
    pixels, margin = array(image), margin_of(image, GREY)
    assert (pixels[margin : margin + 500, margin : margin + 600] == 90).all()
    assert (pixels[:margin] == class_colour(1)).all(axis=2).any()


def test_labels_of_neighbours_do_not_cover_each_other_or_the_other_object() -> None:
    boxes = np.array([[100.0, 100, 200, 200], [100.0, 204, 200, 300], [204.0, 100, 300, 200]])
    image = boxes_image(GREY, boxes, np.array([0, 1, 2]), NAMES)
    pixels, margin = array(image), margin_of(image, GREY)
    for x1, y1, x2, y2 in boxes.astype(int):
        inside = pixels[margin + y1 + 3 : margin + y2 - 3, margin + x1 + 3 : margin + x2 - 3]
        assert (inside == 90).all()


def test_small_pictures_are_enlarged_and_their_boxes_with_them() -> None:
    scene = np.zeros((64, 64, 1), np.uint8)
    scene[10:20, 30:40] = 255
    image = boxes_image(scene, np.array([[30.0, 10, 40, 20]]), np.array([0]), NAMES)
    factor, margin = 7, margin_of(image, scene, 7)
    pixels = array(image)
    assert image.width == 64 * factor + 2 * margin
    assert (pixels[margin + 70 : margin + 140, margin + 210 : margin + 280] == 255).all()
    assert tuple(pixels[margin + 100, margin + 209]) == class_colour(0)


def test_padding_and_boxes_without_area_are_left_out() -> None:
    boxes = np.array([[10.0, 10, 50, 50], [30.0, 30, 30, 90], [90.0, 90, 40, 40], [np.nan, 0, 9, 9]])
    image = boxes_image(GREY, boxes, np.array([-1, 0, 1, 2]), NAMES)
    assert np.array_equal(array(image), array(boxes_image(GREY, np.zeros((0, 4)), np.zeros(0, int), NAMES)))


def test_a_box_beyond_the_edge_is_cut_and_an_unknown_class_is_numbered() -> None:
    image = boxes_image(GREY, np.array([[-50.0, -50, 5000, 100]]), np.array([40]), ["a\nb"])
    assert (array(image) == class_colour(40)).all(axis=2).any()


def test_the_truth_stands_at_the_left_of_the_prediction() -> None:
    image = boxes_image(GREY, BOX, np.array([2]), NAMES, truth=(BOX, np.array([0])))
    left, right = (array(image)[:, :half] for half in (image.width // 2, image.width))
    right = right[:, image.width // 2 :]
    for half, here, elsewhere in ((left, 0, 2), (right, 2, 0)):
        assert (half == class_colour(here)).all(axis=2).any()
        assert not (half == class_colour(elsewhere)).all(axis=2).any()


def test_shared_area_by_hand() -> None:
    assert Rectangle(0, 0, 4, 4).shared_area(Rectangle(2, 3, 9, 9)) == 2
    assert Rectangle(0, 0, 4, 4).shared_area(Rectangle(4, 0, 8, 4)) == 0


@pytest.mark.parametrize("scores", [None, np.array([0.2, 0.9])])
def test_the_order_of_equal_boxes_does_not_lose_one(scores: np.ndarray | None) -> None:
    boxes = np.array([[50.0, 50, 150, 150], [300.0, 300, 400, 400]])
    pixels = array(boxes_image(GREY, boxes, np.array([0, 2]), NAMES, scores=scores))
    for index in (0, 2):
        assert (pixels == class_colour(index)).all(axis=2).sum() > 500
