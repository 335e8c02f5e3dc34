"""Mean average precision of the ideal detector and of one with known faults; boxes in the picture's own pixels."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.tasks.detection import Detection
from tests.tasks import tiny

Found = list[dict[str, Tensor]]


class Saying(nn.Module):
    """Answers with given boxes, batch after batch."""

    def __init__(self, *answers: Found) -> None:
        super().__init__()
        self.answers = list(answers)

    def forward(self, x: Tensor) -> Tensor:
        return x

    def loss(self, output: Tensor, boxes: Tensor, classes: Tensor) -> dict[str, Tensor]:
        """A sum of 1 for each object, and 3 in all for the empty cells."""
        count = (classes >= 0).sum()
        return {"objectness": torch.tensor(3.0), "box": count * 1.0, "class": count * 2.0, "count": count}

    def predict(self, output: Tensor) -> Found:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def truth(batch: dict[str, Tensor], kept: int | None = None) -> Found:
    """The objects of a batch as a detector would say them; of each picture only so many."""
    answers = []
    for boxes, classes in zip(batch["boxes"], batch["classes"], strict=True):
        real = torch.where(classes >= 0)[0][:kept]
        answers.append({"boxes": boxes[real], "labels": classes[real], "scores": torch.full((len(real),), 0.9)})
    return answers


def after_test(batches: list[dict[str, Tensor]], answers: list[Found]) -> Detection:
    task = Detection(tiny.parts(Saying(*answers)))
    task.trainer = SimpleNamespace(world_size=1, current_epoch=0)  # type: ignore[assignment]
    with torch.no_grad():
        for batch in batches:
            task.test_step(batch, 0)
    task.on_test_epoch_end()
    return task


def test_ideal_predictions_score_one() -> None:
    batches = [tiny.batch(6, 1), tiny.batch(3, 2)]
    task = after_test(batches, [truth(batch) for batch in batches])
    assert task.results["test/map"] == pytest.approx(1.0)
    assert task.results["test/map_50"] == pytest.approx(1.0)
    assert task.vectors["test/map"] == pytest.approx([1.0, 1.0, 1.0])


def two_boxes(label: int = 1) -> dict[str, Tensor]:
    """One picture with two objects of one class."""
    boxes = torch.tensor([[[0.0, 0.0, 4.0, 4.0], [4.0, 4.0, 8.0, 8.0], [0.0, 0.0, 0.0, 0.0]]])
    image = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    return {"image": image, "boxes": boxes, "classes": torch.tensor([[label, label, -1]]), "index": torch.arange(1)}


def test_one_of_two_found_is_a_precision_of_one_up_to_a_recall_of_one_half() -> None:
    """COCO's mean takes recalls 0, 0.01 ... 1: 51 of the 101."""
    task = after_test([two_boxes()], [truth(two_boxes(), kept=1)])
    assert task.results["test/map"] == pytest.approx(51 / 101, abs=1e-6)
    assert task.vectors["test/map"][1] == pytest.approx(51 / 101, abs=1e-6)
    assert all(math.isnan(task.vectors["test/map"][label]) for label in (0, 2)), "they have no object"


def test_a_shifted_box_counts_up_to_its_overlap() -> None:
    """IoU 3.1/4.9 = 0.63, so thresholds 0.50, 0.55 and 0.60 of the ten are met."""
    found = truth(two_boxes())
    found[0]["boxes"] = found[0]["boxes"] + torch.tensor([0.9, 0.0, 0.9, 0.0])
    task = after_test([two_boxes()], [found])
    assert task.results["test/map_50"] == pytest.approx(1.0)
    assert task.results["test/map"] == pytest.approx(0.3, abs=1e-6)


def test_nothing_found_and_nothing_there_score_zero() -> None:
    assert after_test([two_boxes()], [truth(two_boxes(), kept=0)]).results["test/map"] == 0.0
    empty = two_boxes(label=-1)
    task = after_test([empty], [truth(empty)])
    assert task.results["test/map_50"] == 0.0
    assert {name: len(values) for name, values in task.predictions.items()} == {
        name: 0 for name in ("index", "prediction", "score", "x1", "y1", "x2", "y2")
    }


def test_the_loss_is_a_sum_of_parts_over_the_objects_of_all_batches() -> None:
    batches = [two_boxes(), two_boxes(label=-1)]
    results = after_test(batches, [truth(batch) for batch in batches]).results
    assert results["test/objectness"] == pytest.approx((3 + 3) / 2)
    assert results["test/box"] == pytest.approx(1.0)
    assert results["test/class"] == pytest.approx(2.0)
    assert results["test/loss"] == pytest.approx(3 + 1 + 2)


def test_a_row_for_each_box() -> None:
    batches = [tiny.batch(6, 1), {**tiny.batch(3, 2), "index": torch.arange(6, 9)}]
    answers = [truth(batch) for batch in batches]
    rows = after_test(batches, answers).predictions
    listed = [one for answer in answers for one in answer]
    assert rows["index"].tolist() == [i for i, one in enumerate(listed) for _ in one["labels"]]
    assert rows["prediction"].tolist() == torch.cat([one["labels"] for one in listed]).tolist()
    corners = np.stack([rows[name] for name in ("x1", "y1", "x2", "y2")], 1)
    assert np.array_equal(corners, torch.cat([one["boxes"] for one in listed]).numpy())


def test_boxes_come_in_the_pixels_of_the_picture_asked_about() -> None:
    """The net sees 16 rows and 8 columns; the picture has 40 and 16."""
    boxes = torch.tensor([[2.0, 2.0, 6.0, 16.0], [0.0, 0.0, 2.0, 4.0]])
    answer = [{"boxes": boxes, "labels": torch.tensor([2, 0]), "scores": torch.tensor([0.9, 0.1])}]
    task = Detection(tiny.parts(Saying(answer)))
    (prediction,) = task.predict(torch.zeros(1, 1, 16, 8))
    assert prediction["boxes"].tolist() == [[0.25, 0.125, 0.75, 1.0], [0.0, 0.0, 0.25, 0.25]]
    picture = np.zeros((40, 16, 3), np.uint8)
    assert task.answer(prediction, picture) == {
        "boxes": [{"label": "cat", "score": 0.9, "box": [4.0, 5.0, 12.0, 40.0]}]
    }


def test_what_the_net_hardly_believes_is_not_drawn() -> None:
    task, picture = Detection(tiny.parts(Saying([]))), np.full((16, 16, 3), 90, np.uint8)

    def drawn(score: float) -> bytes:
        found = {"boxes": np.array([[0.2, 0.2, 0.8, 0.8]]), "labels": np.array([1]), "scores": np.array([score])}
        return task.image(picture, found).tobytes()

    nothing = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "scores": np.zeros(0)}
    assert drawn(0.29) == task.image(picture, nothing).tobytes() != drawn(0.31)
    with_truth = task.image(picture, nothing, {key: two_boxes()[key] for key in ("boxes", "classes")})
    assert with_truth.width > task.image(picture, nothing).width


def test_training_does_not_search_for_boxes() -> None:
    class Blind(Saying):
        def predict(self, output: Tensor) -> Found:
            raise AssertionError("slow, and nothing reads it")

    output = Detection(tiny.parts(Blind())).step(tiny.batch(4), "train")
    assert set(output.parts) == set(Detection.loss_parts)
    assert float(output.loss) == pytest.approx(float(sum(output.parts.values())))
