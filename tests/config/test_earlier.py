"""Configurations that earlier versions froze are whole again, and say what held then."""

from __future__ import annotations

from typing import Any

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.config.earlier import BEFORE, MOVED, brought_up
from cnnexp.config.schema import RUN, Group, problems_of


def without(config: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    result = {key: dict(value) if isinstance(value, dict) else value for key, value in config.items()}
    for key in keys:
        group, _, last = key.rpartition(".")
        del (result[group] if group else result)[last]
    return result


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    return compose_run(["model=lenet5", "data=mnist5k", "augmentation=shift"], [])


@pytest.fixture
def first(now: dict[str, Any]) -> dict[str, Any]:
    """As the first version froze it."""
    augmentation = {
        "_target_": "cnnexp.augmentation.engine.Augmentation",
        "shift": 2,
        "mirror_horizontal": 0.5,
        "mirror_vertical": 0.0,
        "quarter_turn": 0.25,
    }
    return {**without(now, list(BEFORE)), "augmentation": augmentation}


def test_the_first_version_lacked_all_of_it(first: dict[str, Any]) -> None:
    missing = [line.split(":")[0] for line in problems_of(first, RUN)]
    assert {key for key in BEFORE if not key.startswith("choices.")} <= {*missing}


def test_it_is_whole_again_and_says_what_held_then(first: dict[str, Any], now: dict[str, Any]) -> None:
    found = brought_up(first)
    assert problems_of(found, RUN) == []
    for key in BEFORE:
        group, _, last = key.rpartition(".")
        assert (found[group] if group else found)[last] == BEFORE[key]
    assert found["augmentation"]["crop"]["padding"] == 2
    assert found["augmentation"]["mirror"] == {"horizontal": 0.5, "vertical": 0.0}
    assert found["augmentation"]["quarter_turn"] == {"probability": 0.25}
    assert found["augmentation"].keys() == now["augmentation"].keys()
    assert found["augmentation"]["mixup"]["alpha"] == 0


def test_a_configuration_of_this_version_stays_as_it_is(now: dict[str, Any]) -> None:
    assert brought_up(now) == now


def test_nothing_that_was_frozen_is_changed(first: dict[str, Any]) -> None:
    first["regularization"]["max_norm"] = 3.0
    before = {**first, "augmentation": dict(first["augmentation"])}
    assert brought_up(first)["regularization"]["max_norm"] == 3.0
    assert first == before


@pytest.mark.parametrize(
    "config",
    [{}, {"augmentation": "x", "model": None, "choices": [1]}, {"augmentation": {"shift": True}}, {"logger": {}}],
)
def test_what_is_no_configuration_stays_none(config: dict[str, Any]) -> None:
    assert problems_of(brought_up(config), RUN)


def test_every_key_that_a_run_must_have_and_that_came_later_is_named_once() -> None:
    required = {
        f"{group}.{key}" for group, rule in RUN.keys.items() if isinstance(rule, Group) for key in rule.keys
    } | set(RUN.keys)
    assert {key for key in BEFORE if not key.startswith("choices.")} <= required
    assert all(place.count(".") == 1 for place in MOVED.values())
