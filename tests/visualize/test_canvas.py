from __future__ import annotations

import numpy as np
import pytest

from cnnexp.visualize.canvas import enlarged, shortened, text_width, to_image, whole_factor


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3)])
def test_a_picture_becomes_rgb(shape: tuple[int, ...]) -> None:
    picture = np.full(shape, 7, np.uint8)
    image = to_image(picture)
    assert (image.mode, image.size) == ("RGB", (6, 4))
    assert image.getpixel((5, 3)) == (7, 7, 7)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((4, 4), np.float32), "uint8"),
        (np.zeros((3, 4, 5), np.uint8), r"\(H, W, 3\)"),
        (np.zeros((0, 4), np.uint8), r"\(0, 4\)"),
        (np.zeros(4, np.uint8), r"\(H, W, 3\)"),
    ],
)
def test_what_is_no_picture_is_refused(picture: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_image(picture)


def test_small_pictures_grow_by_whole_factors_without_smoothing() -> None:
    assert whole_factor((28, 28), 96) == 4
    assert whole_factor((640, 480), 448) == 1
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    grown = np.asarray(enlarged(to_image(picture), 5))[..., 0]
    assert np.array_equal(grown, picture.repeat(5, axis=0).repeat(5, axis=1))


def test_a_text_is_cut_to_the_room_it_has() -> None:
    cut = shortened("a very long\nname of a class", 12, 60)
    assert cut.endswith("…")
    assert "\n" not in cut
    assert text_width(cut, 12) <= 60
    assert shortened("short", 12, 60) == "short"
