from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.config.rules import problems_of
from cnnexp.config.schema import RUN

INF, NAN = math.inf, math.nan


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    return compose_run([])


@pytest.fixture
def config(composed: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(composed)


def changed(config: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    config = copy.deepcopy(config)
    *groups, name = key.split(".")
    node = config
    for group in groups:
        node = node[group]
    node[name] = value
    return config


def test_the_shipped_configuration_is_good(config: dict[str, Any]) -> None:
    assert problems_of(config, RUN) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 2**32),
        ("batch_size", 0),
        ("max_steps", 0),
        ("outputs", ""),
        ("early_stopping.min_delta", -0.1),
        ("early_stopping", 3),
        ("task.mode", "maximum"),
        ("model._target_", None),
        ("data.image_size", [28]),
        ("data.std", [0.0]),
        ("data.classes", 5),
        ("data.classes", {"mask": "leaf"}),
        ("data.classes", [1, 2]),
        ("data.targets", "label"),
        ("data.input", None),
        ("data.mirror", NAN),
        ("optimizer.betas", [0.9, 1.0]),
        ("optimizer.of", {"generator": 0.1}),
        ("optimizer.of", {"generator": {"lr": 0}}),
        ("optimizer.of", {"generator": {"anything": [NAN]}}),
        ("optimizer.anything", [[0.5, NAN]]),
        ("optimizer.anything", {"deep": {"inside": INF}}),
        ("scheduler.rise", 1.0),
        ("regularization.dropout", 1),
        ("regularization.if_unsupported", "warn"),
        ("hardware.devices", "all"),
        ("hardware.speed", 1),
        ("logger.kind", "mlflow"),
        ("logger.mode", "on"),
        ("choices.model", None),
    ],
)
def test_one_wrong_value_is_one_problem_that_names_its_key(config: dict[str, Any], key: str, value: Any) -> None:
    (problem,) = problems_of(changed(config, key, value), RUN)
    assert problem.startswith(key)


@pytest.mark.parametrize(
    "key",
    [
        "seed",
        "model._target_",
        "data.input",
        "data.classes",
        "sampling",
        "hardware.threads",
        "logger.kind",
        "choices.data",
    ],
)
def test_a_missing_key_has_no_default(config: dict[str, Any], key: str) -> None:
    *groups, name = key.split(".")
    node = config
    for group in groups:
        node = node[group]
    del node[name]
    assert problems_of(config, RUN) == [f"{key}: missing from the configuration"]


def test_a_key_under_a_name_of_ones_own_is_named_in_full(config: dict[str, Any]) -> None:
    of = {"generator": {"lr": "fast", "betas": [0.9, 0.99]}, "discriminator": {"momentum": 1}}
    assert problems_of(changed(config, "optimizer.of", of), RUN) == [
        "optimizer.of.generator.lr=fast: expected a number above 0",
        "optimizer.of.discriminator.momentum=1: expected a number of at least 0 and below 1",
    ]
    (line,) = problems_of(changed(config, "data.classes", {"boxes": ["a"], "mask": "leaf"}), RUN)
    assert line.startswith(
        "data.classes={'boxes': ['a'], 'mask': 'leaf'}: expected a list, or item mask=leaf: expected a"
    )


def test_all_problems_are_told_at_once(config: dict[str, Any]) -> None:
    config.update(seed=-1, epochs="many", batchsize=1)
    problems = problems_of(config, RUN)
    assert len(problems) == 3
    assert problems[-1] == "batchsize: there is no such key; did you mean batch_size?"
