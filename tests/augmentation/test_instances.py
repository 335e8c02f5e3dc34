"""Objects told apart pixel by pixel."""

from __future__ import annotations

import torch

from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.augmentation.instances import masks_of, tight_boxes

NUMBERS = torch.tensor(
    [
        [[0, 1, 1, 0, 0], [0, 0, 1, 0, 3], [0, 0, 0, 0, 3], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [2, 0, 0, 0, 0], [0, 0, 2, 0, 0]],
    ],
    dtype=torch.int16,
)


def test_boxes_are_tight_and_an_object_without_a_pixel_is_padding() -> None:
    found = tight_boxes(NUMBERS, torch.tensor([[4, 5, 6], [7, 8, NO_CLASS]]))
    assert found.boxes.tolist() == [
        [[1, 0, 3, 2], [0, 0, 0, 0], [4, 1, 5, 3]],
        [[0, 0, 0, 0], [0, 2, 3, 4], [0, 0, 0, 0]],
    ]
    assert found.classes.tolist() == [[4, NO_CLASS, 6], [NO_CLASS, 8, NO_CLASS]]
    assert found.boxes.dtype == torch.float32


def test_pictures_without_any_object() -> None:
    found = tight_boxes(torch.zeros(2, 4, 5, dtype=torch.int16), torch.empty(2, 0, dtype=torch.int64))
    assert found.boxes.shape == (2, 0, 4) and found.classes.shape == (2, 0)


def test_pixels_of_some_objects() -> None:
    masks = masks_of(NUMBERS[0], torch.tensor([2, 0, 1]))
    assert [one.nonzero().tolist() for one in masks] == [[[1, 4], [2, 4]], [[0, 1], [0, 2], [1, 2]], []]
