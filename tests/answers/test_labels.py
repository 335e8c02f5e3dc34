"""None, one or several classes: what counts as being there, in numbers and in words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.answers.labels import NOTHING, Labels
from cnnexp.augmentation.boxes import NO_CLASS
from cnnexp.data.base import TensorSplit
from tests.tasks import tiny

LABELS = Labels(tiny.CLASSES)


def test_a_class_is_there_when_a_box_of_it_is_however_many() -> None:
    classes = torch.tensor([[2, 2, 0], [NO_CLASS] * 3, [1, NO_CLASS, 1]])
    assert LABELS.shown({"classes": classes, "label": torch.zeros(3)}).tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert LABELS.shown({"label": torch.tensor([2, 0])}).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_an_answer_names_what_is_there_and_the_odds_of_all() -> None:
    picture = np.zeros((8, 8, 1), np.uint8)
    answer = LABELS.as_json(np.array([0.2, 0.9, 0.6], np.float32), picture)
    assert answer["labels"] == [{"label": "bee", "probability": 0.9}, {"label": "cat", "probability": 0.6}]
    assert [one["label"] for one in answer["all"]] == ["bee", "cat", "ant"]
    assert [line.split()[2:] for line in LABELS.lines(answer)] == [[], [], ["not", "there"]]
    assert LABELS.as_json(np.array([0.2, 0.1, 0.4], np.float32), picture)["labels"] == []


def test_a_wrong_answer_is_drawn_otherwise_than_a_right_one() -> None:
    picture = np.full((8, 8, 1), 90, np.uint8)
    batch = {"classes": torch.tensor([[1, NO_CLASS]]), "boxes": torch.zeros(1, 2, 4)}
    right = LABELS.image(picture, np.array([0.1, 0.9, 0.2]), batch)
    wrong = LABELS.image(picture, np.array([0.1, 0.9, 0.8]), batch)
    assert right.tobytes() != wrong.tobytes()
    unknown = LABELS.image(picture, np.array([0.1, 0.9, 0.2]))
    assert unknown.tobytes() == right.tobytes(), "nothing is known to be wrong"


def test_a_sheet_marks_what_is_wrong() -> None:
    picture, answers = np.full((8, 8, 1), 90, np.uint8), [np.array([0.1, 0.9, 0.2]), np.array([0.1, 0.2, 0.3])]
    truths = [{"classes": torch.tensor(classes)} for classes in ([[1], [NO_CLASS]], [[1], [2]], [[0], [NO_CLASS]])]
    sheets = [LABELS.sheets([picture] * 2, answers, truth)["predictions"].tobytes() for truth in truths]
    assert len(set(sheets)) == 3


def test_words() -> None:
    assert LABELS.words(np.array([True, False, True])) == "ant + cat"
    assert LABELS.words(np.array([False] * 3)) == NOTHING


def test_classes_are_not_counted() -> None:
    with pytest.raises(NotImplementedError):
        LABELS.counts(TensorSplit(tiny.samples(4)), np.arange(4))
