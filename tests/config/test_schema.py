from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.config.rules import Each, Either, Group, Items, Number, Rule, Span, Switch, Text, problems_of
from cnnexp.config.schema import RUN

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (Number(), [0, -1, 1e300, 0.5], [NAN, INF, -INF, True, "1", None, [1]]),
        (Number(0, 1), [0, 1, 0.5], [-1e-9, 1.000001]),
        (Number(0, 1, above=True), [1e-9, 1], [0, 0.0]),
        (Number(0, 1, below=True), [0, 0.999], [1, 1.0]),
        (Number(1, whole=True), [1, 10**9], [0, 1.0, True, "1"]),
        (Number(1, nullable=True), [None, 1], ["null", 0]),
        (Text(), ["a"], ["", 1, None, True]),
        (Text(("a", "b"), nullable=True), ["a", None], ["c", ""]),
        (Switch(), [True, False], [0, 1, "true", None]),
        (Switch(("auto",)), [True, "auto"], ["Auto", "yes"]),
        (Items(Number(), length=2), [[1, 2], (1, 2)], [[1], [1, 2, 3], [1, NAN], "ab", None]),
        (Items(Text()), [[], ["a"]], [["a", 1], {"a": 1}]),
        (Each(Items(Text(), nullable=True)), [{}, {"a": ["b"], "c": None}], [{"a": "b"}, ["a"], None]),
        (Span(Number(0)), [[0, 1], [1, 1]], [[1, 0], [1], [-1, 1], 1]),
        (Either((Number(1, whole=True), Text(("auto",)))), [1, "auto"], [0, "all", None]),
    ],
)
def test_a_rule_at_its_borders(rule: Rule, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if rule.problem(value) is not None] == []
    assert [value for value in bad if rule.problem(value) is None] == []
    assert all(str(rule.problem(value)).startswith(("expected ", "item ")) for value in bad)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Number(1, whole=True), "a whole number of at least 1"),
        (Number(0, 1, above=True), "a number above 0 and at most 1"),
        (Number(0, 2**32 - 1, whole=True), "a whole number of at least 0 and at most 4294967295"),
        (Number(0, nullable=True), "a number of at least 0, or null"),
        (Number(high=0.5, below=True), "a number below 0.5"),
        (Number(), "a number"),
    ],
)
def test_a_range_in_words(rule: Number, text: str) -> None:
    assert rule.described() == text


@pytest.fixture
def config() -> dict[str, Any]:
    return compose_run([])


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


def test_an_unknown_key_is_shown_cut_when_it_is_huge() -> None:
    (problem,) = problems_of({"a": "x" * 10_000}, Group({"a": Number()}))
    assert len(problem) < 200


def test_what_is_no_group() -> None:
    assert problems_of([1], RUN) == ["configuration: expected a group of keys"]
