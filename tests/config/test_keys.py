"""The keys of every option, with what they are for; and an example that works."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cnnexp.commands.asked import suitable_data
from cnnexp.config.compose import compose_run
from cnnexp.config.keys import comments_of, keys_of, shown
from cnnexp.config.options import GROUPS, config_folders, option_files

FOLDERS = config_folders()
OPTIONS = [(group, name) for group in GROUPS if group != "experiment" for name in option_files(group, FOLDERS)]


@pytest.mark.parametrize(("group", "name"), OPTIONS, ids=[f"{group}={name}" for group, name in OPTIONS])
def test_every_key_is_there_and_most_say_what_they_are_for(group: str, name: str) -> None:
    option = keys_of(group, name, FOLDERS)
    assert option.purpose
    if group == "model":
        assert all(key.meaning for key in option.keys)
    silent = [key.name for key in option.keys if not (key.meaning or key.allowed)]
    assert silent == []


@pytest.mark.parametrize("name", option_files("model", FOLDERS))
def test_defaults_are_those_of_a_run_and_the_example_of_a_net_is_taken(name: str) -> None:
    option = keys_of("model", name, FOLDERS)
    words = shlex.split(option.example)[2:]
    assert words[0] == f"model={name}"
    config = compose_run([*words, *suitable_data(words)])
    for key in option.keys:
        set_by_example = any(word.startswith(f"{key.name}=") for word in words)
        assert set_by_example or shown(config["model"][key.name.removeprefix("model.")]) == key.default


def test_a_key_by_hand() -> None:
    option = keys_of("model", "alexnet", FOLDERS)
    groups = option.keys[0]
    assert (groups.name, groups.default, groups.choices, groups.own) == ("model.groups", "1", ("1", "2"), True)
    assert groups.meaning == "1, or 2 for the paper's split"
    assert option.example == "cnnexp train model=alexnet model.groups=2"
    assert option.brings[:2] == ("task=classification", "optimizer=sgd") and "optimizer.lr=0.01" in option.brings
    weights = next(key for key in option.keys if key.name == "model.weights")
    assert not weights.own and "run:ID" in weights.meaning


def test_an_option_has_the_keys_of_those_that_it_goes_on_from() -> None:
    keys = {key.name: key for key in keys_of("augmentation", "strong", FOLDERS).keys}
    assert keys["augmentation.hue.degrees"].default == "18.0"
    assert keys["augmentation.mixup.alpha"].default == "0.0"
    assert "blended" in keys["augmentation.mixup.alpha"].meaning
    assert keys["augmentation.rotate.probability"].meaning == "part of the samples that it meets"


def test_comments_stand_behind_a_key_or_above_it(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(
        "# @package _global_\n# What it is\n# above,\n# in two lines\na: 1\n"
        "b: # behind\n  c: '#' # of c\n  d: 2\ne: 3 # of e\n"
    )
    assert comments_of(file) == {"a": "above, in two lines", "b": "behind", "b.c": "of c", "e": "of e"}


def test_values_are_shown_as_they_are_typed() -> None:
    assert [shown(one) for one in (None, True, 0.5, [1, None], {"a": False})] == [
        "null",
        "true",
        "0.5",
        "[1,null]",
        "{a: false}",
    ]
