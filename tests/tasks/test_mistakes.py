"""What became of detections and objects: by hand, and by a slow reference that looks at single pairs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnexp.tasks.mistakes import KINDS, Mistakes

OBJECT = [0.0, 0.0, 10.0, 10.0]
Picture = Mapping[str, Tensor]


def said(*rows: tuple[list[float], int, float]) -> Picture:
    boxes, labels, scores = zip(*rows, strict=True) if rows else ([], [], [])
    return {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "scores": torch.tensor(scores),
    }


def there(*rows: tuple[list[float], int], ignored: tuple[int, ...] = ()) -> Picture:
    boxes, labels = zip(*rows, strict=True) if rows else ([], [])
    marks = [place in ignored for place in range(len(rows))]
    return {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "iscrowd": torch.tensor(marks, dtype=torch.int64),
    }


def counted(found: Picture, truth: Picture, classes: int = 2) -> tuple[dict[str, int], list[list[int]]]:
    made = Mistakes(classes, 0.3)
    made.update([found], [truth])
    matrix, kinds, _ = made.compute()
    return {kind: count for kind, count in kinds.items() if count}, matrix.tolist()


@pytest.mark.parametrize(
    ("found", "kinds", "matrix"),
    [
        ([], {"missed": 1}, [[0, 0, 1], [0, 0, 0], [0, 0, 0]]),
        ([(OBJECT, 0, 0.9)], {"right": 1}, [[1, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ([(OBJECT, 0, 0.29)], {"missed": 1}, [[0, 0, 1], [0, 0, 0], [0, 0, 0]]),
        # 10 x 5 of 10 x 10: an IoU of 0.5, which is enough
        ([([0.0, 0.0, 10.0, 5.0], 0, 0.9)], {"right": 1}, [[1, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ([([0.0, 0.0, 10.0, 4.9], 0, 0.9)], {"badly_placed": 1, "missed": 1}, [[0, 0, 1], [0, 0, 0], [1, 0, 0]]),
        ([([0.0, 0.0, 10.0, 1.0], 0, 0.9)], {"badly_placed": 1, "missed": 1}, [[0, 0, 1], [0, 0, 0], [1, 0, 0]]),
        ([([0.0, 0.0, 10.0, 0.9], 0, 0.9)], {"background": 1, "missed": 1}, [[0, 0, 1], [0, 0, 0], [1, 0, 0]]),
        ([([0.0, 0.0, 10.0, 4.9], 1, 0.9)], {"background": 1, "missed": 1}, [[0, 0, 1], [0, 0, 0], [0, 1, 0]]),
        ([(OBJECT, 1, 0.9)], {"wrong_class": 1}, [[0, 1, 0], [0, 0, 0], [0, 0, 0]]),
        ([(OBJECT, 0, 0.9), (OBJECT, 0, 0.8)], {"right": 1, "doubled": 1}, [[1, 0, 0], [0, 0, 0], [1, 0, 0]]),
        # the right class is right, as in the average precision, though another one was surer
        ([(OBJECT, 1, 0.9), (OBJECT, 0, 0.5)], {"right": 1, "doubled": 1}, [[1, 0, 0], [0, 0, 0], [0, 1, 0]]),
    ],
)
def test_one_object(
    found: list[tuple[list[float], int, float]], kinds: dict[str, int], matrix: list[list[int]]
) -> None:
    assert counted(said(*found), there((OBJECT, 0))) == (kinds, matrix)


def test_the_surer_one_chooses_first_and_takes_the_nearest() -> None:
    near = [1.0, 0.0, 11.0, 10.0]
    truth = there((OBJECT, 0), (near, 0))
    kinds, _ = counted(said((OBJECT, 0, 0.8), (near, 0, 0.9)), truth)
    assert kinds == {"right": 2}
    kinds, _ = counted(said((near, 0, 0.9), (near, 0, 0.8), (near, 0, 0.7)), truth)
    assert kinds == {"right": 2, "doubled": 1}, "the second takes the other one, which it covers as well"


def test_what_is_ignored_counts_nowhere() -> None:
    """Neither the object nor what lies in it by half of its own area; a third of it is background."""
    crowd = there(([0.0, 0.0, 100.0, 100.0], 0), ignored=(0,))
    assert counted(said(), crowd) == ({}, [[0] * 3] * 3)
    assert counted(said(([5.0, 5.0, 9.0, 9.0], 1, 0.9), ([95.0, 0.0, 105.0, 9.0], 0, 0.9)), crowd)[0] == {}
    assert counted(said(([98.0, 0.0, 104.0, 9.0], 0, 0.9)), crowd)[0] == {"background": 1}
    beside = there((OBJECT, 0), ([0.0, 0.0, 100.0, 100.0], 0), ignored=(1,))
    assert counted(said((OBJECT, 0, 0.9)), beside)[0] == {"right": 1}


def test_sizes_are_coco_s() -> None:
    made = Mistakes(1, 0.3)
    sides = (31.0, 32.5, 95.0, 97.0, 300.0)
    made.update([said()], [there(*(([0.0, 0.0, side, side], 0) for side in sides))])
    assert made.compute()[2] == {"small": 1, "medium": 2, "large": 2}


def test_a_reset_begins_anew_and_a_state_goes_on() -> None:
    made, other = Mistakes(1, 0.3), Mistakes(1, 0.3)
    made.update([said((OBJECT, 0, 0.9))], [there((OBJECT, 0))])
    other.set_extra_state(made.get_extra_state())
    made.reset()
    assert made.compute()[1]["right"] == 0 and other.compute()[1]["right"] == 1


def test_against_a_reference_that_looks_at_single_pairs() -> None:
    generator = np.random.default_rng(0)
    for _ in range(60):
        classes, count, objects = 3, int(generator.integers(0, 12)), int(generator.integers(0, 8))
        found, truth = _some(generator, count, classes), _some(generator, objects, classes)
        scores = generator.permutation(count) / 12 + 0.3
        made = Mistakes(classes, 0.3)
        rows = [(box, label, float(score)) for (box, label), score in zip(found, scores, strict=True)]
        made.update([said(*rows)], [there(*truth)])
        matrix, kinds, _ = made.compute()
        expected = _reference(sorted(rows, key=lambda row: -row[2]), truth, classes)
        assert (kinds, matrix.tolist()) == expected
        assert matrix[:-1].sum() == objects and matrix[:, :-1].sum() == count, "each once"


def _some(generator: np.random.Generator, count: int, classes: int) -> list[tuple[list[float], int]]:
    corner, size = generator.uniform(0, 12, (count, 2)), generator.uniform(6, 14, (count, 2))
    boxes = np.concatenate([corner, corner + size], 1).astype(np.float32).tolist()
    return list(zip(boxes, generator.integers(0, classes, count).tolist(), strict=True))


def _reference(
    rows: list[tuple[list[float], int, float]], truth: list[tuple[list[float], int]], classes: int
) -> tuple[dict[str, int], list[list[int]]]:
    kinds = dict.fromkeys(KINDS, 0)
    matrix = [[0] * (classes + 1) for _ in range(classes + 1)]
    owner: dict[int, int] = {}
    for number, (box, label, _) in enumerate(rows):
        choice = [(_iou(box, other), k) for k, (other, c) in enumerate(truth) if c == label and k not in owner]
        if choice and max(choice)[0] >= 0.5:
            owner[max(choice)[1]] = number
            kinds["right"] += 1
            matrix[label][label] += 1
    for number, (box, label, _) in enumerate(rows):
        if number in owner.values():
            continue
        overlaps = [(_iou(box, other), k) for k, (other, _) in enumerate(truth)]
        free = [one for one in overlaps if one[1] not in owner and one[0] >= 0.5]
        if free:
            best = max(free)[1]
            owner[best] = number
            kinds["wrong_class"] += 1
            matrix[truth[best][1]][label] += 1
            continue
        matrix[classes][label] += 1
        if any(iou >= 0.5 for iou, _ in overlaps):
            kinds["doubled"] += 1
        elif any(iou >= 0.1 and truth[k][1] == label for iou, k in overlaps):
            kinds["badly_placed"] += 1
        else:
            kinds["background"] += 1
    for k, (_, c) in enumerate(truth):
        if k not in owner:
            kinds["missed"] += 1
            matrix[c][classes] += 1
    return kinds, matrix


def _iou(one: list[float], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)
