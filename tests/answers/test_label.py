"""One class for each sample or part: the best in words, what is wrong drawn otherwise, how often each occurs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cnnexp.answers.label import Label
from cnnexp.data.base import FileSplit, TensorSplit
from tests.tasks import tiny

MANY = Label([f"class {i}" for i in range(9)])
FEW = Label(tiny.CLASSES)
EMPTY = np.zeros((8, 8, 1), np.uint8)
PICTURE = np.full((8, 8, 1), 90, np.uint8)


def test_an_answer_names_the_five_best_classes() -> None:
    probability = np.array([0.05, 0.3, 0.01, 0.4, 0.02, 0.1, 0.07, 0.03, 0.02], dtype=np.float32)
    answer = MANY.as_json(probability, EMPTY)
    assert (answer["label"], answer["probability"]) == ("class 3", 0.4)
    assert [one["label"] for one in answer["top"]] == ["class 3", "class 1", "class 5", "class 6", "class 0"]
    few = FEW.as_json(np.array([0.2, 0.7, 0.1]), EMPTY)
    assert [one["label"] for one in few["top"]] == ["bee", "ant", "cat"]
    assert [line.split() for line in FEW.lines(few)] == [["bee", "0.7000"], ["ant", "0.2000"], ["cat", "0.1000"]]


def test_a_long_name_keeps_apart_from_its_probability() -> None:
    long = Label(("passing American football (not in game)", "ant"))
    row = long.as_json(np.array([0.9, 0.1], np.float32), np.zeros((4, 4, 1), np.uint8))
    assert long.lines(row) == ["passing American football (not in game) 0.9000", f"{'ant':<24}0.1000"]


def test_a_wrong_prediction_is_drawn_otherwise_than_a_right_one() -> None:
    probability = np.array([0.2, 0.7, 0.1])
    truths = [None, {"label": torch.tensor([1])}, {"label": torch.tensor([2])}]
    unknown, right, wrong = (FEW.image(PICTURE, probability, truth) for truth in truths)
    assert min(unknown.size) > 64
    assert unknown.tobytes() == right.tobytes() != wrong.tobytes()


def test_a_sheet_marks_what_is_wrong() -> None:
    answers = [np.array([0.2, 0.7, 0.1]), np.array([0.9, 0.0, 0.1])]
    sheets = [FEW.sheets([PICTURE] * 2, answers, {"label": torch.tensor(label)}) for label in ([1, 0], [1, 2], [1, 1])]
    assert [set(one) for one in sheets] == [{"predictions"}] * 3
    assert len({one["predictions"].tobytes() for one in sheets}) == 3


def test_parts_have_an_answer_each_and_stretches_of_one_class_a_word() -> None:
    probability = np.array([[0.7, 0.6, 0.1, 0.2], [0.2, 0.1, 0.8, 0.1], [0.1, 0.3, 0.1, 0.7]])
    row = FEW.as_json(probability, EMPTY)
    assert row == {
        "parts": [
            {"label": "ant", "probability": 0.7},
            {"label": "ant", "probability": 0.6},
            {"label": "bee", "probability": 0.8},
            {"label": "cat", "probability": 0.7},
        ]
    }
    assert FEW.lines(row)[2].split() == ["2", "bee", "0.8000"]
    right, wrong = ({"label": torch.tensor([label])} for label in ([0, 0, 1, 2], [0, 1, 1, 2]))
    unknown = FEW.image(PICTURE, probability)
    assert unknown.tobytes() == FEW.image(PICTURE, probability, right).tobytes()
    assert unknown.tobytes() != FEW.image(PICTURE, probability, wrong).tobytes()
    sheets = [FEW.sheets([PICTURE], [probability], truth)["predictions"].tobytes() for truth in (right, wrong)]
    assert sheets[0] != sheets[1]
    assert FEW.marks(right, 0) == {"caption": "ant 2, bee 1, cat 1"}


def test_the_truth_of_a_sample_in_words() -> None:
    batch = {
        "label": torch.tensor([1, 0, 2]),
        "mixed_label": torch.tensor([2, 2, 2]),
        "mix": torch.tensor([0.75, 1, 1]),
    }
    assert FEW.marks({"label": batch["label"]}, 1) == {"caption": "ant"}
    assert FEW.marks(batch, 0) == {"caption": "0.75 bee + 0.25 cat"}
    assert FEW.marks(batch, 1) == {"caption": ""}, "no blend, so nothing has to be said"


def test_partners_bring_their_labels() -> None:
    mixed = FEW.mixed({"label": torch.tensor([0, 1, 2])}, torch.tensor([2, 0, 1]))
    assert mixed is not None and mixed["mixed_label"].tolist() == [2, 0, 1]


@pytest.mark.parametrize("known", [True, False])
def test_classes_are_counted_in_the_training_data(known: bool) -> None:
    samples, positions = tiny.samples(300), np.arange(10, 290)
    expected = torch.bincount(samples["label"][10:290], minlength=3).tolist()
    split = TensorSplit(samples)
    if not known:  # on disk, and nobody has looked at all labels
        split = FileSplit(lambda place: {"label": samples["label"][place]}, 300)  # type: ignore[assignment]
        assert split.labels_for_strata() is None
    assert FEW.counts(split, positions) == expected


def test_parts_are_counted_one_by_one() -> None:
    label = torch.randint(3, (20, 5), generator=torch.Generator().manual_seed(0))
    assert FEW.counts(TensorSplit({"label": label}), np.arange(4, 16)) == label[4:16].flatten().bincount().tolist()
