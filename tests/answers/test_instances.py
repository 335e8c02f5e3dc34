"""Objects with their outlines, in the pixels of the picture asked about."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from cnnexp.answers.instances import Instances, run_lengths, unpadded
from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.augmentation.geometry import Frame, Geometry
from cnnexp.augmentation.motion import Motion
from cnnexp.data.base import TensorSplit

NAMES = ("ant", "bee", "cat")
FORM = Instances(NAMES)
NUMBERS = torch.zeros(1, 4, 6, dtype=torch.int16)
NUMBERS[0, 1:3, 0:2], NUMBERS[0, 0, 4:6], NUMBERS[0, 3, 5] = 1, 2, 3
TRUTH = {
    "instances": NUMBERS,
    "boxes": torch.tensor([[[0.0, 1, 2, 3], [4, 0, 6, 1], [5, 3, 6, 4], [0, 0, 0, 0]]]),
    "classes": torch.tensor([[1, 0, 2, NO_CLASS]]),
}


def answer(scores: list[float]) -> dict[str, np.ndarray]:
    masks = np.zeros((len(scores), 4, 8), bool)
    masks[:, 1:3, 2:5] = True
    boxes = np.tile([0.25, 0.25, 0.625, 0.75], (len(scores), 1))
    return {"boxes": boxes, "scores": np.array(scores), "labels": np.arange(len(scores)), "masks": masks}


def test_masks_come_at_the_size_of_the_picture_as_coco_codes_them() -> None:
    """The net saw 4×8 pixels, the picture has 8×16."""
    row = FORM.as_json(answer([0.9, 0.1]), np.zeros((8, 16, 3), np.uint8))
    (one,) = json.loads(json.dumps(row))["instances"]
    assert (one["label"], one["score"], one["box"], one["area"]) == ("ant", 0.9, [4.0, 2.0, 10.0, 6.0], 24)
    from faster_coco_eval.core import mask as coder

    mask = coder.decode(one["segmentation"])
    assert mask.shape == (8, 16) and mask[2:6, 4:10].all() and mask.sum() == 24
    assert [line.split() for line in FORM.lines(row)] == [["ant", "0.90", "x", "4-10", "y", "2-6", "24", "pixels"]]
    assert FORM.lines(FORM.as_json(answer([0.1]), np.zeros((8, 16, 3), np.uint8))) == ["nothing found"]


def test_codes_are_those_of_pycocotools() -> None:
    from pycocotools import mask as theirs

    masks = np.random.default_rng(0).random((20, 13, 9)) < np.linspace(0, 1, 20)[:, None, None]
    assert run_lengths(masks) == [
        theirs.encode(np.asfortranarray(one))["counts"].decode() for one in masks.astype(np.uint8)
    ]
    assert run_lengths(masks[:0]) == []


def test_objects_move_with_their_picture_and_keep_their_rows() -> None:
    """Mirrored, and two pixels to the left: of two nothing is left."""
    way = Geometry(np.array([[[-1.0, 0], [0, 1]]]), np.array([[-2.0, 0]]))
    moved = FORM.follow(TRUTH, Motion(way, Frame((4, 6), (4, 6)), reach=(0, 2)))
    source = np.pad(NUMBERS[0].numpy()[:, ::-1], ((0, 0), (0, 2)))[:, 2:]
    assert moved["instances"][0].tolist() == source.tolist()
    assert moved["classes"].tolist() == [[1, NO_CLASS, NO_CLASS, NO_CLASS]]
    assert moved["boxes"][0, 0].tolist() == [2, 1, 4, 3] and not moved["boxes"][0, 1:].any()


def test_objects_without_padding_and_their_masks() -> None:
    hidden = {
        **TRUTH,
        "classes": torch.tensor([[1, NO_CLASS, 2, NO_CLASS]]),
        "ignored": torch.tensor([[0, 0, 1, 0]]).bool(),
    }
    (found,) = unpadded(hidden)
    assert found["labels"].tolist() == [1, 2] and found["iscrowd"].tolist() == [0, 1]
    assert torch.equal(found["masks"], torch.stack([NUMBERS[0] == 1, NUMBERS[0] == 3]))
    assert "iscrowd" not in unpadded(TRUTH)[0]


def test_classes_get_other_numbers_and_are_counted() -> None:
    assert FORM.renumbered(TRUTH, torch.tensor([5, 3, 1]))["classes"].tolist() == [[3, 5, 1, NO_CLASS]]
    samples: dict[str, Any] = {name: value.expand(7, *value.shape[1:]) for name, value in TRUTH.items()}
    assert FORM.counts(TensorSplit(samples), np.arange(2, 7)) == [5, 5, 5]


def test_what_is_drawn() -> None:
    picture = np.full((4, 8, 1), 90, np.uint8)
    nothing = FORM.image(picture, answer([]))
    unsure, sure = FORM.image(picture, answer([0.29])), FORM.image(picture, answer([0.31]))
    assert nothing.tobytes() == unsure.tobytes() != sure.tobytes()
    wide = {**TRUTH, "instances": torch.nn.functional.pad(NUMBERS, (0, 2))}
    assert FORM.image(picture, answer([0.9]), wide).width > 2 * nothing.width
    assert set(FORM.marks(TRUTH, 0)) == {"instances", "boxes", "classes"}
