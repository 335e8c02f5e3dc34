"""Scores of voters: the task's own metrics, and what changed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnexp.averaging.scoring import score
from cnnexp.averaging.views import FLIP
from cnnexp.averaging.voter import Voter
from cnnexp.fit.evaluate import evaluate
from cnnexp.fit.module import TaskModule
from cnnexp.tasks.base import Batch, Task
from cnnexp.tasks.classification import Classification
from cnnexp.tasks.segmentation import Segmentation
from tests.tasks import tiny

CPU = torch.device("cpu")
TASKS: dict[str, Callable[[], Task]] = {
    "classification": lambda: tiny.task(Classification, tiny.linear_net()),
    "segmentation": lambda: tiny.task(Segmentation, tiny.pixel_net()),
}


def voter(task: Task, flipped: bool = False) -> Voter:
    return Voter(task, FLIP if flipped else (), CPU, "fp32")


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("stage", ["val", "test"])
def test_the_metrics_are_those_of_an_ordinary_evaluation(name: str, stage: str) -> None:
    task, data = TASKS[name](), tiny.picture_data()
    batches = ([batch] for batch in data.evaluation_loader(stage))  # type: ignore[arg-type]
    (found,) = score([voter(task)], batches, stage)  # type: ignore[arg-type]
    expected = evaluate(TaskModule(task), data, {"hardware": dict(tiny.HARDWARE)}, [stage])
    assert {f"{stage}/{key}" for key in found.metrics} == set(expected)
    for key, value in found.metrics.items():
        assert value == pytest.approx(expected[f"{stage}/{key}"], rel=1e-5), key


@pytest.mark.parametrize("name", TASKS)
def test_the_outcomes_of_all_samples_add_up_to_the_judging_metric(name: str) -> None:
    task, data = TASKS[name](), tiny.picture_data()
    (found,) = score([voter(task)], ([batch] for batch in data.evaluation_loader("test")), "test")
    assert len(found.outcomes) == 11
    assert found.rows["index"].tolist() == list(range(11))
    total = float(task.score_of(found.outcomes.sum(0).astype(float)))
    assert task.judged_by is not None and total == pytest.approx(found.metrics[task.judged_by])


def test_the_outcomes_are_in_the_order_of_the_samples() -> None:
    task, data = TASKS["classification"](), tiny.picture_data()
    (found,) = score([voter(task)], ([batch] for batch in data.evaluation_loader("test")), "test")
    batch = data.split("test").batch(range(11))
    right = voter(task)(batch).argmax(1) == batch["label"]
    assert found.outcomes.tolist() == [[int(one), 1] for one in right]


class Fixed(Voter):
    """Answers with given classes."""

    def __init__(self, classes: list[int] | list[list[int]]) -> None:
        super().__init__(TASKS["classification"](), (), CPU, "fp32")
        self.classes = torch.tensor(classes)

    def __call__(self, batch: Batch) -> Tensor:
        answers = torch.nn.functional.one_hot(self.classes[batch["index"]], 3).float() * 0.8 + 0.2 / 3
        return answers.movedim(-1, 1)


def test_what_came_right_and_what_went_wrong() -> None:
    batch = {**tiny.batch(5), "label": torch.tensor([0, 1, 2, 0, 1])}
    before, after = Fixed([0, 0, 0, 0, 1]), Fixed([0, 1, 2, 1, 1])
    one, last = score([before, after], [[batch, batch]], "test")
    assert (one.fixed, one.broken) == (2, 1)
    assert (last.fixed, last.broken) == (0, 0)
    assert (one.metrics["accuracy"], last.metrics["accuracy"]) == (0.6, 0.8)


def test_a_sequence_has_a_row_for_each_part_and_outcomes_for_each_sample() -> None:
    label = torch.tensor([[0, 0, 1, 1], [2, 2, 2, 2], [0, 1, 2, 0]])
    order = torch.tensor([2, 0, 1])
    batches = [
        {**tiny.part_of(tiny.batch(3), 0, len(part)), "label": label[part], "index": part} for part in order.split(2)
    ]
    before = Fixed([[0, 0, 0, 0], [2, 2, 2, 0], [0, 1, 2, 0]])
    after = Fixed([[0, 0, 1, 0], [2, 2, 2, 0], [1, 1, 2, 0]])
    one, last = score([before, after], [[batch, batch] for batch in batches], "test")
    assert one.outcomes.tolist() == [[2, 4], [3, 4], [4, 4]]
    assert last.outcomes.tolist() == [[3, 4], [3, 4], [3, 4]]
    assert last.metrics["accuracy"] == pytest.approx(9 / 12)
    assert (one.fixed, one.broken) == (1, 1)
    assert last.rows["index"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert last.rows["part"].tolist() == [0, 1, 2, 3] * 3
    assert last.rows["target"].tolist() == label.flatten().tolist()


def test_void_pixels_are_neither_right_nor_wrong() -> None:
    task = TASKS["segmentation"]()
    batch = tiny.batch(4)
    batch["mask"][:] = 255
    scores = score([voter(task), voter(task, flipped=True)], [[batch, batch]], "test")
    assert [(one.fixed, one.broken) for one in scores] == [(0, 0), (0, 0)]


def test_an_ensemble_is_the_weighted_mean_of_its_members() -> None:
    batch = {**tiny.batch(3), "label": torch.tensor([0, 1, 2])}
    first, second = Fixed([0, 0, 0]), Fixed([1, 1, 1])
    *_, equal = score([first, second], [[batch, batch]], "test", [2.0, 1.0])
    assert equal.rows["prediction"].tolist() == [0, 0, 0]
    expected = (2 * (0.8 + 0.2 / 3) + 0.2 / 3) / 3
    assert equal.rows["probability"].tolist() == pytest.approx([expected] * 3)
    assert equal.metrics["loss"] == pytest.approx(
        -np.mean(np.log([expected, (2 * 0.2 / 3 + 0.8 + 0.2 / 3) / 3, 0.2 / 3])), rel=1e-5
    )


def test_the_time_of_an_ensemble_holds_that_of_its_members() -> None:
    batch = tiny.batch(3)
    *alone, together = score([Fixed([0] * 3), Fixed([1] * 3)], [[batch, batch]], "test", [1.0, 1.0])
    assert together.seconds >= sum(one.seconds for one in alone) > 0


def reordered(task: Task, order: list[int]) -> Voter:
    """The same net that counts its classes in another order: class i of all is its class ``order[i]``."""
    last = [one for one in task.net.modules() if isinstance(one, (nn.Linear, nn.Conv2d))][-1]
    back = torch.tensor(order).argsort()
    task.answer = type(task.answer)([task.answer.names[place] for place in back.tolist()])
    with torch.no_grad():
        for tensor in (last.weight, last.bias):
            assert tensor is not None
            tensor.copy_(tensor[back].clone())
    return Voter(task, (), CPU, "fp32", order)


@pytest.mark.parametrize("name", TASKS)
def test_a_member_that_counts_its_classes_otherwise_is_scored_and_averaged_by_their_names(name: str) -> None:
    data = tiny.picture_data()
    usual, other = voter(TASKS[name]()), reordered(TASKS[name](), [2, 0, 1])
    first, second, both = score(
        [usual, other], ([batch, batch] for batch in data.evaluation_loader("test")), "test", weights=[1.0, 3.0]
    )
    for one in (second, both):
        assert {key: pytest.approx(value, rel=1e-5) for key, value in first.metrics.items()} == one.metrics
    assert (second.fixed, second.broken) == (0, 0), "the mean of two equal answers is that answer"
    assert not np.array_equal(first.rows.get("prediction", 0), second.rows.get("prediction", 1))
