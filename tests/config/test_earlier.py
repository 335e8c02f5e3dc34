"""Configurations that earlier versions froze are whole again, and say what held then."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import net_for
from cnnexp.builders.facts import provisional_facts
from cnnexp.builders.refusing import refuse_unfit
from cnnexp.config.compose import compose_run
from cnnexp.config.earlier import BEFORE, MOVED, brought_up
from cnnexp.config.options import content_of, option_files
from cnnexp.config.rules import Group, problems_of
from cnnexp.config.schema import RUN
from cnnexp.paths import config_folder

OPTIONAL = {"data.decode_size", "data.range", "data.background"}
"""Keys of pictures, which other kinds of input have not."""
INSIDE = {"data.split.group"}
"""Keys of a group that is missing whole."""


def without(config: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    result = copy.deepcopy(config)
    for key in sorted(keys, reverse=True):  # a group after its keys
        group, _, last = key.rpartition(".")
        del holder(result, group)[last]
    return result


def holder(config: dict[str, Any], group: str) -> dict[str, Any]:
    for part in group.split(".") if group else ():
        config = config[part]
    return config


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
    assert {key for key in BEFORE if not key.startswith("choices.")} - OPTIONAL - INSIDE <= {*missing}


def test_it_is_whole_again_and_says_what_held_then(first: dict[str, Any], now: dict[str, Any]) -> None:
    found = brought_up(first)
    assert problems_of(found, RUN) == []
    for key in BEFORE:
        group, _, last = key.rpartition(".")
        value = holder(found, group)[last]
        assert (value | BEFORE[key] if isinstance(value, dict) else BEFORE[key]) == value
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
    assert {key for key in BEFORE if not key.startswith("choices.")} <= required | OPTIONAL | INSIDE
    assert all(place.count(".") == 1 for place in MOVED.values())


# --- runs from before there were other inputs than pictures, and losses and samplings to choose from ------------------

NEW_GROUPS = ("loss", "sampling")
NEW_KEYS = [
    "data.input", "data.input_sha256", "data.split", "data.fingerprint", "data.range", "data.background",
    "data.unreadable", "data.labels_per_class", "model.input", "optimizer.of",
]  # fmt: skip
RUNS = {
    "classification": ["model=resnet20", "data=cifar10"],
    "multi_label": ["model=resnet20", "task=multi_label", "data=bccd"],
    "each class against all others": ["model=lenet5", "task=multi_label", "task.target=label"],
    "segmentation": ["model=unet", "data=isbi_em", "loss=pixel_cross_entropy"],
    "segmentation beside boxes": ["model=unet", "data=digit_scenes", "loss=pixel_cross_entropy"],
    "detection": ["model=yolo", "data=digit_scenes"],
    "autoencoder": ["model=conv_autoencoder", "data=mnist5k"],
    "autoencoder of scenes": ["model=conv_autoencoder", "data=digit_scenes"],
}


def as_frozen_before(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration of today as that version froze it: names of masks under a key of their own, one loss a task."""
    old = without(config, [*NEW_GROUPS, *NEW_KEYS])
    old["choices"] = {group: option for group, option in old["choices"].items() if group not in NEW_GROUPS}
    old["task"] = {key: value for key, value in old["task"].items() if key not in ("accepts", "nets")}
    vocabulary = content_of(option_files("augmentation", [config_folder()])["pictures"])
    given = {key: value for key, value in old["augmentation"].items() if value is not None}
    old["augmentation"] = {key: value for key, value in {**vocabulary, **given}.items() if key != "input"}
    data, names = old["data"], old["data"]["classes"]
    by_target = names if isinstance(names, dict) else dict.fromkeys(data["targets"], names)
    labels = {target: value for target, value in by_target.items() if target != "mask"}
    data |= {"classes": next(iter(labels.values()), []), "mask_classes": by_target.get("mask", [])}
    return old


@pytest.mark.parametrize("words", RUNS.values(), ids=list(RUNS))
def test_a_run_of_each_task_from_before_other_inputs_is_whole_again(words: list[str]) -> None:
    now = compose_run(words)
    old = as_frozen_before(now)
    assert {"loss: missing from the configuration", "data.input: missing from the configuration"} <= {
        *problems_of(old, RUN)
    }
    found = brought_up(old)
    assert problems_of(found, RUN) == []
    assert "mask_classes" not in found["data"]
    assert (found["data"], found["loss"], found["sampling"]) == (now["data"], now["loss"], now["sampling"])
    assert {group: found["choices"][group] for group in NEW_GROUPS} == {g: now["choices"][g] for g in NEW_GROUPS}
    assert facts_of(found) == facts_of(now)
    bound = bind_run(found)
    refuse_unfit(found, bound, provisional_facts(found))
    assert net_for(bound, provisional_facts(found), found).keywords == net_of(now).keywords


def test_the_old_form_is_what_that_version_wrote() -> None:
    """The data of a run on scenes, word by word."""
    old = as_frozen_before(compose_run(RUNS["detection"]))
    digits = [str(number) for number in range(10)]
    assert (old["data"]["classes"], old["data"]["mask_classes"]) == (digits, ["background", *digits])
    assert old["augmentation"]["_target_"] == "cnnexp.augmentation.engine.Augmentation"
    assert len(old["augmentation"]) == 24 and "input" not in old["augmentation"]
    assert old["data"].keys() == {
        "_target_", "targets", "channels", "image_size", "classes", "mask_classes", "mean", "std", "fraction",
        "workers", "in_memory", "decode_size", "scene_seed",
    }  # fmt: skip
    assert old["task"].keys() == {"_target_", "name", "target", "monitor", "mode"}


def facts_of(config: dict[str, Any]) -> tuple[Any, ...]:
    facts = provisional_facts(config)
    return facts.name, facts.input, {word: (type(one), one.names) for word, one in facts.targets.items()}, facts.named


def net_of(config: dict[str, Any]) -> Any:
    return net_for(bind_run(config), provisional_facts(config), config)


@pytest.mark.parametrize("choices", [[1], None, "loss"])
def test_choices_that_are_none_are_no_error_of_their_own(now: dict[str, Any], choices: Any) -> None:
    found = brought_up({**without(now, ["loss"]), "choices": choices})
    assert found["loss"] == now["loss"]
    assert problems_of(found, RUN) == ["choices: expected a group of keys"]


def test_a_task_that_nobody_knows_has_no_loss(now: dict[str, Any]) -> None:
    old = without(now, ["loss"])
    old["task"]["name"] = "../../task"
    assert problems_of(brought_up(old), RUN) == ["loss: missing from the configuration"]
