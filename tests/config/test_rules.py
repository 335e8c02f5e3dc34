"""What a key may hold, at the borders, and the line for one that holds something else."""

from __future__ import annotations

import math
from typing import Any

import pytest

from cnnexp.config.rules import (
    LONGEST_SHOWN,
    Each,
    Either,
    Group,
    Items,
    Number,
    Rule,
    Span,
    Switch,
    Text,
    problems_of,
)
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


@pytest.mark.parametrize(
    ("rule", "value", "problem"),
    [
        (Text(("a", "b"), nullable=True), "c", "expected a or b, or null"),
        (Text(), "", "expected a word"),
        (Switch(("auto",)), 1, "expected true, false or auto"),
        (Items(Number(1), length=2), [1], "expected a list of 2 values"),
        (Items(Number(1)), "ab", "expected a list"),
        (Items(Number(1)), [1, 0.5, 0], "item 2: expected a number of at least 1"),
        (Span(Number(0)), [2, 1], "expected the smaller number first"),
        (Span(Number(0)), [-1, 1], "item 1: expected a number of at least 0"),
        (Either((Number(1, whole=True), Text(("auto",)))), 0, "expected a whole number of at least 1, or auto"),
    ],
)
def test_a_problem_says_what_is_expected(rule: Rule, value: Any, problem: str) -> None:
    assert rule.problem(value) == problem


def test_a_value_is_shown_as_one_would_type_it() -> None:
    group = Group({"a": Number(), "b": Number(), "c": Number(), "d": Number()})
    found = problems_of({"a": True, "b": None, "c": "x" * 100, "d": "x" * 101}, group, "group.")
    shown = [line.split(": ")[0] for line in found]
    assert LONGEST_SHOWN == 100
    assert shown == ["group.a=true", "group.b=null", f"group.c={'x' * 100}", f"group.d={'x' * 100}…"]


def test_a_group_within_a_group_names_the_whole_way() -> None:
    group = Group({"outer": Group({"inner": Group({"key": Switch()})})})
    assert problems_of({"outer": {"inner": {"key": 1}}}, group) == ["outer.inner.key=1: expected true or false"]
    assert problems_of({"outer": {"inner": [1]}}, group) == ["outer.inner: expected a group of keys"]
    assert problems_of({"outer": {"inner": {}}}, group) == ["outer.inner.key: missing from the configuration"]


def test_an_optional_key_may_be_left_out_and_is_checked_where_it_stands() -> None:
    group = Group({"a": Number()}, optional={"b": Number(1)})
    assert problems_of({"a": 1}, group) == []
    assert problems_of({"a": 1, "b": 0}, group) == ["b=0: expected a number of at least 1"]


def test_optional_keys_may_depend_on_another_key() -> None:
    closed = Group({"kind": Text()}, optional={"mode": Text(("on",))}, only_where=("kind", ("wandb",)))
    assert problems_of({"kind": "wandb", "mode": "off"}, closed) == ["mode=off: expected on"]
    (line,) = problems_of({"kind": "none", "mode": "on"}, closed)
    assert line.startswith("mode: there is no such key")
    open_one = Group(closed.keys, closed.optional, closed.only_where, open=True)
    assert problems_of({"kind": "mine", "mode": "off"}, open_one) == [], "nobody's business"


def test_an_open_group_takes_any_key_whose_numbers_are_finite() -> None:
    group = Group({"a": Number()}, open=True)
    assert problems_of({"a": 1, "b": [0.5, {"c": "nan"}], "d": None}, group) == []
    assert problems_of({"a": 1, "b": (1, {"c": [-INF]})}, group) == ["b=(1, {'c': [-inf]}): not a finite number"]


def test_an_unknown_key_is_shown_cut_when_it_is_huge() -> None:
    (problem,) = problems_of({"a": "x" * 10_000}, Group({"a": Number()}))
    assert len(problem) < 200


def test_what_is_no_group() -> None:
    assert problems_of([1], RUN) == ["configuration: expected a group of keys"]
