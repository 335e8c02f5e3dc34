"""Validation and test outside of a fit, of all batches or of a few."""

from __future__ import annotations

import copy

import pytest
import torch

from cnnexp.builders.build import Experiment
from cnnexp.fit.evaluate import PARTIAL_BATCHES, evaluate
from cnnexp.tasks.classification import Classification
from tests.tasks import tiny

CONFIG = {"hardware": dict(tiny.HARDWARE)}


def experiment(test: int = 50) -> Experiment:
    return Experiment(tiny.picture_data(val=20, test=test), Classification(tiny.parts(tiny.linear_net())))


def test_a_stage_is_measured_on_all_its_samples_and_changes_nothing() -> None:
    parts = experiment()
    before = copy.deepcopy(parts.task.net.state_dict())
    results = evaluate(parts, CONFIG, ["val", "test"])
    assert set(results) == {"val/loss", "val/accuracy", "test/loss", "test/accuracy"}
    assert results == parts.task.results
    for stage, count in (("val", 20), ("test", 50)):
        batch = parts.data.split(stage).batch(range(count))  # type: ignore[arg-type]
        with torch.no_grad():
            found = parts.task.net(parts.task.prepare(batch, train=False)["image"]).argmax(1)
        assert results[f"{stage}/accuracy"] == pytest.approx(float((found == batch["label"]).double().mean()))
    assert len(parts.task.predictions["index"]) == 50
    assert all(torch.equal(value, before[name]) for name, value in parts.task.net.state_dict().items())


def test_only_what_was_asked_for_is_measured() -> None:
    assert set(evaluate(experiment(), CONFIG, ["val"])) == {"val/loss", "val/accuracy"}


@pytest.mark.parametrize(("test", "seen"), [(50, 8 * PARTIAL_BATCHES), (9, 9)])
def test_a_partial_evaluation_takes_a_few_batches(test: int, seen: int) -> None:
    parts = experiment(test)
    evaluate(parts, CONFIG, ["test"], partial=True)
    index = parts.task.predictions["index"].tolist()
    assert len(index) == len(set(index)) == seen
    assert set(index) <= set(range(test))


def test_a_second_evaluation_starts_anew() -> None:
    parts = experiment()
    first = dict(evaluate(parts, CONFIG, ["test"]))
    assert evaluate(parts, CONFIG, ["test"]) == first
    assert len(parts.task.predictions["index"]) == 50
