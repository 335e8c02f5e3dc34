"""What the configuration says of the data: its kind of input, and its truths with their names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cnnexp.answers.base import Answer
from cnnexp.builders.target import bind, dotted, import_target
from cnnexp.data.base import DataSet
from cnnexp.data.facts import Facts
from cnnexp.errors import InputError
from cnnexp.inputs.base import Input

OF_EVERY_DATA_SET = (
    "_target_", "input", "input_sha256", "targets", "classes", "fraction", "labels_per_class", "workers", "in_memory",
    "unreadable", "fingerprint", "split",
)  # fmt: skip
"""Keys that are no arguments of an input."""
UNKNOWN = ("0", "1")
"""Stand-ins for the names of classes that only the user's folder tells."""


def input_class(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> type[Input]:
    """The kind of input that the data set names.

    Raises:
        InputError: there is no such kind.
    """
    found = import_target(dotted("cnnexp.inputs", config["data"]["input"]), "input", trusted)
    assert isinstance(found, type) and issubclass(found, Input)
    return found


def input_keys(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> set[str]:
    """The keys of ``data`` that are arguments of its input."""
    wanted = inspect.signature(input_class(config, trusted)).parameters
    return {key for key in config["data"] if key in wanted and key not in OF_EVERY_DATA_SET}


def build_input(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> Input:
    """The input, with what the configuration says of its samples.

    Raises:
        InputError: a line for every argument that does not fit.
    """
    class_, keys = input_class(config, trusted), input_keys(config, trusted)
    arguments, problems = bind(class_, {key: tupled(config["data"][key]) for key in keys}, {}, "data")
    if problems:
        raise InputError(*problems)
    return class_(**arguments)


def answer_class(word: str, trusted: Sequence[str] = ()) -> type[Answer]:
    """The form of answer that a target's word names.

    Raises:
        InputError: there is no such form.
    """
    found = import_target(dotted("cnnexp.answers", word), "target", trusted)
    assert isinstance(found, type) and issubclass(found, Answer)
    return found


def provisional_facts(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> Facts:
    """What the configuration alone says of the data; two classes where only the user's folder knows."""
    given = names_of(config)
    return Facts(
        name=str(config["choices"]["data"]),
        input=build_input(config, trusted),
        targets={
            word: answer_class(word, trusted)(UNKNOWN if names is None else names) for word, names in given.items()
        },
        named=None not in given.values(),
    )


def names_of(config: Mapping[str, Any]) -> dict[str, tuple[str, ...] | None]:
    """For each target the names of its classes, from a list for all or a mapping by target; None where not stated."""
    data = config["data"]
    given = data["classes"]
    by_target = given if isinstance(given, Mapping) else dict.fromkeys(data["targets"], given)
    return {word: None if by_target.get(word) is None else tuple(by_target[word]) for word in data["targets"]}


def find_facts(config: Mapping[str, Any], dataset: DataSet, trusted: Sequence[str] = ()) -> Facts:
    """The facts of a prepared data set, with the truths that it holds for this task and the classes found in the user's
    folder where there is one."""
    chosen = dataset.chosen()
    if chosen is not None:
        config = {**config, "data": {**config["data"], "targets": list(chosen)}}
    given = names_of(config)
    found = (dataset.class_names() or ()) if None in given.values() else ()
    classes = {word: found if names is None else names for word, names in given.items()}
    told = dataset.told()
    facts = provisional_facts({**config, "data": {**config["data"], **told, "classes": classes}}, trusted)
    return replace(facts, told=told)


def with_classes(config: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    """The configuration with the truths, the classes and what else was found, so that a run's folder stands on its
    own."""
    names = {word: list(answer.names) for word, answer in facts.targets.items()}
    same = all(one == next(iter(names.values())) for one in names.values())
    classes: Any = next(iter(names.values()), []) if same else names
    return {**config, "data": {**config["data"], **facts.told, "targets": list(names), "classes": classes}}


def renamed(facts: Facts, names: Sequence[str]) -> Facts:
    """The facts with other names for the classes of every truth."""
    return replace(facts, targets={word: type(one)(names) for word, one in facts.targets.items()})


def tupled(value: Any) -> Any:
    """Lists as tuples, at every depth."""
    return tuple(tupled(item) for item in value) if isinstance(value, (list, tuple)) else value
