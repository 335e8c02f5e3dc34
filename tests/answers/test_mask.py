"""One class for each pixel: the part of the picture that each covers, and how often each occurs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.answers.mask import Mask, sized
from cnnexp.data.base import TensorSplit
from tests.tasks import tiny

MASK = Mask(tiny.MASK_CLASSES)
ANSWER = np.array([[0, 0, 0, 1], [1, 1, 2, 0], [2, 0, 1, 2]], np.uint8)


def test_an_answer_says_how_much_of_a_picture_each_class_covers() -> None:
    row = MASK.as_json(ANSWER, np.zeros((3, 4, 1), np.uint8))
    assert row["area"] == pytest.approx({"background": 5 / 12, "leaf": 4 / 12, "stem": 3 / 12}, abs=1e-6)
    assert MASK.lines(row)[1].split() == ["leaf", "33.3%", "of", "the", "picture"]
    assert set(MASK.as_json(np.full((3, 4), 2, np.uint8), np.zeros((3, 4, 1), np.uint8))["area"]) == {"stem"}


def test_a_mask_is_drawn_at_the_size_of_its_picture() -> None:
    picture = np.full((96, 128, 3), 200, np.uint8)
    assert np.array_equal(sized(ANSWER, picture), ANSWER.repeat(32, 0).repeat(32, 1))
    assert sized(ANSWER, np.zeros((3, 4, 1), np.uint8)) is ANSWER
    alone = MASK.image(picture, ANSWER)
    beside = MASK.image(picture, ANSWER, {"mask": torch.zeros(1, 96, 128, dtype=torch.uint8)})
    assert alone.width >= 128 and alone.height >= 96
    assert beside.width > alone.width


@pytest.mark.parametrize(
    ("names", "background", "objects"),
    [(tiny.MASK_CLASSES, 0, [1, 2]), (("cell", "leaf"), None, [0, 1]), (("cell", "background", "leaf"), 1, [0, 2])],
)
def test_a_class_named_background_is_no_object(
    names: tuple[str, ...], background: int | None, objects: list[int]
) -> None:
    assert (Mask(names).background, Mask(names).objects) == (background, objects)


def test_pixels_are_counted_and_void_is_none() -> None:
    samples, positions = tiny.samples(300), np.arange(5, 295)
    mask = samples["mask"][5:295]
    assert MASK.counts(TensorSplit(samples), positions) == [int((mask == one).sum()) for one in range(3)]
