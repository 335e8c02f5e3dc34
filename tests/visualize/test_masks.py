from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnexp.visualize.masks import masks_image, overlay
from cnnexp.visualize.palette import VOID, class_colour
from cnnexp.visualize.png import write_png

PICTURE = np.full((2, 3, 3), 100, np.uint8)
MASK = np.array([[0, 1, 2], [255, 1, 0]], np.uint8)


def mixed(colour: tuple[int, int, int], opacity: float) -> list[int]:
    return [round((1 - opacity) * 100 + opacity * part) for part in colour]


def test_each_pixel_is_mixed_with_the_colour_of_its_class() -> None:
    pixels = np.asarray(overlay(Image.fromarray(PICTURE), MASK, 0.25))
    assert pixels[0, 1].tolist() == mixed(class_colour(1), 0.25)
    assert pixels[0, 2].tolist() == mixed(class_colour(2), 0.25)
    assert pixels[1, 0].tolist() == mixed(VOID, 0.25)


def test_the_background_is_left_as_it_is() -> None:
    pixels = np.asarray(overlay(Image.fromarray(PICTURE), MASK, 1.0, background=0))
    assert pixels[0, 0].tolist() == [100, 100, 100]
    assert pixels[0, 1].tolist() == list(class_colour(1))


def test_a_class_called_background_is_not_coloured_and_not_in_the_legend() -> None:
    with_background = np.asarray(masks_image(PICTURE, MASK, ["background", "a", "b"], opacity=1.0))
    without = np.asarray(masks_image(PICTURE, MASK, ["sky", "a", "b"], opacity=1.0))
    assert not (with_background == class_colour(0)).all(axis=2).any()
    assert (without == class_colour(0)).all(axis=2).any()


def test_panels_stand_side_by_side_enlarged_over_a_legend_of_what_occurs() -> None:
    truth = np.full((2, 3), 3, np.uint8)
    image = masks_image(PICTURE, MASK, ["sky", "a", "b", "c", "d"], truth=truth, opacity=1.0)
    pixels = np.asarray(image)
    factor = 107  # the smallest whole one that makes three pixels at least 320 wide
    assert image.width == 3 * 3 * factor + 2 * 8 + 2 * 8
    panel = 3 * factor
    thirds = [pixels[:, 8 + place * (panel + 8) :][:, :panel] for place in range(3)]
    area = [(third == class_colour(3)).all(axis=2).sum() for third in thirds]
    assert area[1] >= 6 * factor**2, "the truth, all of class c, is the middle panel"
    assert area[2] < 1000
    assert (thirds[2] == class_colour(1)).all(axis=2).sum() >= 2 * factor**2
    legend = pixels[-40:]
    present = [(legend == class_colour(label)).all(axis=2).sum() > 50 for label in range(5)]
    assert present == [True, True, True, True, False]
    assert (legend == VOID).all(axis=2).sum() > 50


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        masks_image(PICTURE, MASK.T, ["a", "b", "c"])


def test_many_classes_wrap_their_legend(tmp_path: Path) -> None:
    mask = np.arange(100, dtype=np.uint8).reshape(10, 10)
    picture = np.zeros((10, 10, 1), np.uint8)
    few = masks_image(picture, np.zeros((10, 10), np.uint8), ["class"])
    many = masks_image(picture, mask, [f"quite a long name {place}" for place in range(100)])
    assert many.height > few.height + 300
    assert many.width == few.width
    with Image.open(write_png(masks_image(picture, mask, ["x"]), tmp_path / "m.png")) as image:
        assert image.width == many.width
