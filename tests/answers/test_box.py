"""One object for each sample: found in a batch, told in the pixels of the picture asked about, and held to be one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cnnexp.answers.box import Box, boxes_of_each
from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.data.base import FileSplit, TensorSplit
from cnnexp.errors import InputError
from tests.tasks import tiny

BOX = Box(tiny.CLASSES)
ANSWER = {"probabilities": np.array([0.2, 0.1, 0.7]), "box": np.array([0.25, 0.125, 0.75, 1.0])}


def test_the_one_box_of_each_sample_wherever_it_stands_in_its_row() -> None:
    boxes = torch.arange(24.0).view(3, 2, 4)
    batch = {"boxes": boxes, "classes": torch.tensor([[2, NO_CLASS], [NO_CLASS, 0], [NO_CLASS, NO_CLASS]])}
    found = BOX.single(batch)
    assert found.classes.tolist() == [2, 0, NO_CLASS] and found.there.tolist() == [True, True, False]
    assert torch.equal(found.boxes[:2], torch.stack([boxes[0, 0], boxes[1, 1]]))
    ignored = torch.tensor([[True, False], [False, False], [False, False]])
    assert BOX.single({**batch, "ignored": ignored}).there.tolist() == [False, True, False]


def test_a_batch_without_any_box() -> None:
    found = BOX.single({"boxes": torch.zeros(2, 0, 4), "classes": torch.zeros(2, 0, dtype=torch.int64)})
    assert found.there.tolist() == [False, False] and found.boxes.shape == (2, 4)


def test_an_answer_is_told_in_the_pixels_of_the_picture_asked_about() -> None:
    """40 rows and 16 columns."""
    row = BOX.as_json(ANSWER, np.zeros((40, 16, 3), np.uint8))
    assert (row["label"], row["probability"], row["box"]) == ("cat", 0.7, [4.0, 5.0, 12.0, 40.0])
    assert [one["label"] for one in row["classes"]] == ["cat", "ant", "bee"]
    assert [line.split() for line in BOX.lines(row)] == [
        ["cat", "0.7000", "x", "4-12", "y", "5-40"],
        ["ant", "0.2000"],
        ["bee", "0.1000"],
    ]


def test_it_is_drawn_beside_the_truth() -> None:
    picture = np.full((16, 16, 3), 90, np.uint8)
    truth = {"boxes": torch.tensor([[[0.0, 0.0, 4.0, 4.0]]]), "classes": torch.tensor([[1]])}
    alone, both = BOX.image(picture, ANSWER), BOX.image(picture, ANSWER, truth)
    moved = BOX.image(picture, {**ANSWER, "box": np.array([0.0, 0.0, 0.5, 0.5])})
    assert both.width > alone.width and alone.tobytes() != moved.tobytes()


def test_other_numbers_of_boxes_are_refused() -> None:
    def split(*classes: list[int]) -> TensorSplit:
        return TensorSplit({"boxes": torch.zeros(len(classes), 2, 4), "classes": torch.tensor(classes)})

    BOX.refuse(split([0, NO_CLASS], [NO_CLASS, 2]), "scenes")
    with pytest.raises(InputError) as caught:
        BOX.refuse(split([0, NO_CLASS], [1, 2], [NO_CLASS, NO_CLASS], [1, 1]), "scenes")
    assert str(caught.value) == (
        "data=scenes: 3 of 4 pictures do not have exactly one box (1 have none, 2 have several), which is what "
        "task=localization learns; task=detection takes any number"
    )


def test_pictures_on_disk_are_not_decoded_to_count_their_boxes() -> None:
    def decode(position: int) -> dict[str, torch.Tensor]:
        raise AssertionError("slow")

    origins = [SimpleNamespace(boxes=[(0, 0, 1, 1)] * n, ignored=marked) for n, marked in ((1, ()), (2, (True, False)))]
    assert boxes_of_each(FileSplit(decode, 2, origins=origins)).tolist() == [1, 1]  # type: ignore[arg-type]
