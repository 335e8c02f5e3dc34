"""Validation and test outside of a fit, of all batches or of a few."""

from __future__ import annotations

import copy

import pytest
import torch

from cnnexp.data.loading import Data
from cnnexp.fit.evaluate import evaluate
from cnnexp.fit.module import TaskModule
from cnnexp.tasks.classification import Classification
from tests.tasks import tiny

CONFIG = {"hardware": dict(tiny.HARDWARE)}


def made(test: int = 50) -> tuple[TaskModule, Data]:
    return TaskModule(tiny.task(Classification, tiny.linear_net())), tiny.picture_data(val=20, test=test)


def test_a_stage_is_measured_on_all_its_samples_and_changes_nothing() -> None:
    module, data = made()
    before = copy.deepcopy(module.net.state_dict())
    results = evaluate(module, data, CONFIG, ["val", "test"])
    assert set(results) == {"val/loss", "val/accuracy", "test/loss", "test/accuracy"}
    assert results == module.results
    for stage, count in (("val", 20), ("test", 50)):
        batch = data.split(stage).batch(range(count))  # type: ignore[arg-type]
        with torch.no_grad():
            found = module.net(module.task.prepare(batch, train=False)["image"]).argmax(1)
        assert results[f"{stage}/accuracy"] == pytest.approx(float((found == batch["label"]).double().mean()))
    assert len(module.predictions["index"]) == 50
    assert all(torch.equal(value, before[name]) for name, value in module.net.state_dict().items())


def test_only_what_was_asked_for_is_measured() -> None:
    assert set(evaluate(*made(), CONFIG, ["val"])) == {"val/loss", "val/accuracy"}


@pytest.mark.parametrize(("test", "batches", "seen"), [(50, 4, 32), (50, 1, 8), (9, 4, 9)])
def test_a_partial_evaluation_takes_a_few_batches(test: int, batches: int, seen: int) -> None:
    module, data = made(test)
    evaluate(module, data, CONFIG, ["test"], batches)
    index = module.predictions["index"].tolist()
    assert len(index) == len(set(index)) == seen
    assert set(index) <= set(range(test))


def test_a_second_evaluation_starts_anew() -> None:
    module, data = made()
    first = dict(evaluate(module, data, CONFIG, ["test"]))
    assert evaluate(module, data, CONFIG, ["test"]) == first
    assert len(module.predictions["index"]) == 50
