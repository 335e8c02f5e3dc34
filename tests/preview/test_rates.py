"""The learning rates of a run that has not begun."""

from __future__ import annotations

import math

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.preview.rates import learning_rates, steps_of


def test_a_cosine_over_all_steps() -> None:
    config = compose_run(["scheduler=cosine", "optimizer.lr=0.1", "epochs=3"])
    course = learning_rates(config, 5)
    assert course.rates == pytest.approx([0.1 * (1 + math.cos(math.pi * step / 15)) / 2 for step in range(15)])
    assert not course.waits


def test_steps_go_down_between_epochs() -> None:
    words = ["scheduler=step", "scheduler.every_epochs=2", "scheduler.gamma=0.1", "optimizer.lr=1.0", "epochs=5"]
    assert learning_rates(compose_run(words), 2).rates == pytest.approx([1.0] * 4 + [0.1] * 4 + [0.01] * 2)


def test_a_schedule_that_waits_for_its_metric_says_so() -> None:
    course = learning_rates(compose_run(["scheduler=plateau", "optimizer.lr=0.5", "epochs=4"]), 3)
    assert course.waits and course.rates == [0.5] * 12


def test_the_steps_are_those_of_the_data() -> None:
    assert steps_of(compose_run(["data=mnist5k", "batch_size=100", "data.fraction=0.5"])) == 20
