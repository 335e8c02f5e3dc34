"""Boxes in the pixels of the picture asked about, and those that a person is shown."""

from __future__ import annotations

import numpy as np
import torch

from cnnexp.answers.boxes import Boxes, unpadded
from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.data.base import TensorSplit
from tests.tasks import tiny

BOXES = Boxes(tiny.CLASSES)
TRUTH = {
    "boxes": torch.tensor([[[0.0, 0.0, 4.0, 4.0], [4.0, 4.0, 8.0, 8.0], [0.0, 0.0, 0.0, 0.0]]]),
    "classes": torch.tensor([[1, 1, NO_CLASS]]),
}


def test_boxes_come_in_the_pixels_of_the_picture_asked_about() -> None:
    """40 rows and 16 columns."""
    answer = {
        "boxes": np.array([[0.25, 0.125, 0.75, 1.0], [0.0, 0.0, 0.25, 0.25]]),
        "labels": np.array([2, 0]),
        "scores": np.array([0.9, 0.1]),
    }
    row = BOXES.as_json(answer, np.zeros((40, 16, 3), np.uint8))
    assert row == {"boxes": [{"label": "cat", "score": 0.9, "box": [4.0, 5.0, 12.0, 40.0]}]}
    assert [line.split() for line in BOXES.lines(row)] == [["cat", "0.90", "x", "4-12", "y", "5-40"]]
    assert BOXES.lines({"boxes": []}) == ["nothing found"]


def test_what_the_net_hardly_believes_is_not_drawn() -> None:
    picture = np.full((16, 16, 3), 90, np.uint8)

    def drawn(score: float) -> bytes:
        found = {"boxes": np.array([[0.2, 0.2, 0.8, 0.8]]), "labels": np.array([1]), "scores": np.array([score])}
        return BOXES.image(picture, found).tobytes()

    nothing = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "scores": np.zeros(0)}
    assert drawn(0.29) == BOXES.image(picture, nothing).tobytes() != drawn(0.31)
    with_truth = BOXES.image(picture, nothing, TRUTH)
    assert with_truth.width > BOXES.image(picture, nothing).width


def test_boxes_of_a_sample_without_what_fills_up_its_row() -> None:
    (found,) = unpadded(TRUTH)
    assert torch.equal(found["boxes"], TRUTH["boxes"][0, :2]) and found["labels"].tolist() == [1, 1]


def test_objects_are_counted_and_padding_is_none() -> None:
    samples, positions = tiny.samples(300), np.arange(5, 295)
    classes = samples["classes"][5:295]
    assert (classes == NO_CLASS).any()
    counts = BOXES.counts(TensorSplit(samples), positions)
    assert counts == [int((classes == one).sum()) for one in range(3)]
