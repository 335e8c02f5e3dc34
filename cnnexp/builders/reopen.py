"""A recorded run, opened again to be evaluated: on its own data or on other data, whose classes go by their names."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnexp.builders.datasets import build_dataset, prepared_data
from cnnexp.builders.facts import answer_class, input_keys, names_of, with_classes
from cnnexp.builders.hardware import resolve_hardware, set_up_process
from cnnexp.builders.learnt import learnt_facts
from cnnexp.builders.recorded import Held, Recorded, Unseen
from cnnexp.builders.same_classes import Known, Match, match_classes, number_as
from cnnexp.builders.target import dotted, import_target
from cnnexp.config.compose import compose_run
from cnnexp.config.earlier import brought_up
from cnnexp.config.overrides import Word
from cnnexp.config.signatures import constant_of
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.runs.data_places import MOVABLE, PLACES, located, moved, place_words
from cnnexp.runs.data_record import read_data_record
from cnnexp.runs.read import Record
from cnnexp.tasks.base import Task

log = logging.getLogger(__name__)

_OF_THE_MACHINE = (
    *PLACES,
    "mirror",
    "workers",
    "in_memory",
    "fingerprint",
    "fraction",
    "labels_per_class",
    "input_sha256",
)
"""Keys of ``data`` that say where it lies and how it is read; the others say which data it is."""


def on_other_data(
    config: dict[str, Any],
    record: Record,
    words: Sequence[Word],
    own_folders: Sequence[str],
    trusted: Sequence[str] = (),
) -> dict[str, Any]:
    """The run's configuration with another data set in it, brought to the pictures that the net knows.

    A new place where the run's own samples are, every one, is that of the run's own data.

    Args:
        config: the run's. words: ``data=…`` and ``data.…`` keys; none leaves the configuration as it is.

    Raises:
        InputError: something other than the data is overridden.
    """
    for word in words:
        if word.key != "data" and not word.key.startswith("data."):
            raise InputError(f"{word.text}: only data=…, data.… and tta=… are taken here; the rest is the run's own")
    if not words:
        return config
    if all(word.key in MOVABLE for word in words):
        there = moved(config, {word.key: word.value for word in words})
        if _holds(record, there, trusted):
            return there
    kept = [f"{group}={record.choices[group]}" for group in ("model", "task")]
    if "accepts" in config["task"]:
        kept.append(f"task.target={config['task']['target']}")
    given = [word.text for word in words]
    same = [] if any(word.key == "data" for word in words) else [f"data={record.choices['data']}"]
    composed = compose_run([*kept, *same, *given], own_folders)
    keep = {key: config["data"][key] for key in (*input_keys(config), "input_sha256")}
    return {
        **config,
        "data": {**composed["data"], **keep},
        "choices": {**config["choices"], "data": composed["choices"]["data"]},
    }


@dataclass(frozen=True)
class Reopened:
    """A run's data, ready to be read and numbered as its net is, and its configuration for evaluating on this machine.

    Attributes:
        match: of the data's classes and the net's; None for a run without classes.
    """

    data: Data
    config: dict[str, Any]
    match: Match | None = None

    @property
    def mapped(self) -> str | None:
        """In a line, how classes were mapped; None where they are the same."""
        return None if self.match is None or self.match.same else self.match.described()


def reopen_data(record: Record, config: dict[str, Any], trusted: Sequence[str] = ()) -> Reopened:
    """Prepare the data of a run for an evaluation in this process alone.

    Raises:
        InputError: the data has classes that the run was not trained on, or cannot be had.
    """
    config = {**for_this_machine(config), "outputs": str(record.folder.parent)}  # where other runs are found
    set_up_process(config["hardware"])
    target, known = config["task"]["target"], known_to(record)
    refuse_unfit_data(config, known)
    kept = read_data_record(record.folder)
    own = is_own(record, config)
    if own:
        config = located(config, kept, record.folder, log.warning)
    held = None if kept is None or not own else Held(kept, record.id, _way_out(config), whole=False)
    data = prepared_data(config, trusted, held)
    if kept is not None and not own:
        data.dataset = Unseen(data.dataset, kept, record.id)
    data.facts = learnt_facts(data.facts, record.folder, config)
    match = None if known is None else number_as(data, target, known)
    return Reopened(data, with_classes(config, data.facts), match)


def is_own(record: Record, config: Mapping[str, Any]) -> bool:
    """Whether a configuration has the data that the run was trained on, wherever that lies now."""
    theirs = brought_up(record.config)

    def essence(one: Mapping[str, Any]) -> Any:
        data = {key: value for key, value in one["data"].items() if key not in _OF_THE_MACHINE}
        return one["choices"]["data"], data

    return bool(essence(theirs) == essence(config))


def _holds(record: Record, config: dict[str, Any], trusted: Sequence[str]) -> bool:
    """Whether the run's samples are all there as they were; it is not known of a run that did not record them."""
    try:
        return refuse_other_samples(record, config, trusted)
    except InputError:
        return False


def refuse_other_samples(record: Record, config: dict[str, Any], trusted: Sequence[str] = ()) -> bool:
    """Whether a run recorded its samples, every one of which is in the configuration's data as it was.

    Raises:
        InputError: some are not, or the data cannot be had.
    """
    kept = read_data_record(record.folder)
    held = None if kept is None else Held(kept, record.id, "name the folder that holds it", say=lambda line: None)
    dataset = build_dataset(config, trusted, held)
    dataset.prepare()
    if isinstance(dataset, Recorded):
        dataset.check()
    return kept is not None


def _way_out(config: Mapping[str, Any]) -> str:
    given = " ".join([f"data={config['choices']['data']}", *place_words(config)])
    return f"bring it back, or test on the data as it is now: {given}"


def for_this_machine(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration for one process on the best device that is here, with the precision of the training."""
    hardware = {**config["hardware"], "accelerator": "auto", "devices": 1, "nodes": 1, "strategy": "auto"}
    return resolve_hardware({**config, "hardware": hardware})


def known_to(record: Record) -> Known | None:
    """The classes of a run; None where its task has none, or is about any."""
    config = brought_up(record.config)
    target = config["task"]["target"]
    names = None if target is None else names_of(config)[target]
    if names is None or constant_of(dotted("cnnexp.answers", target), "open_set"):
        return None
    return Known(names, record.id)


def refuse_unfit_data(config: dict[str, Any], known: Known | None) -> None:
    """Refuse data before it is read, as far as the configuration tells; what is in a user's folder comes later.

    Args:
        known: the classes of the run.

    Raises:
        InputError: it lacks what the task needs, or has classes that the run does not know.
    """
    task, data, name = config["task"], config["data"], config["choices"]["data"]
    if task["target"] is None:
        return
    if task["target"] not in data["targets"]:
        raise InputError(f"data={name} has no {task['target']}, which {task['name']} needs")
    found = names_of(config)[task["target"]]
    if found is not None and known is not None:
        match_classes(known, found, name)


def task_class(config: dict[str, Any], trusted: Sequence[str] = ()) -> type[Task]:
    """The class of the configuration's task."""
    task = import_target(config["task"]["_target_"], "task", trusted)
    assert isinstance(task, type) and issubclass(task, Task)
    return task


def is_dense(config: dict[str, Any], trusted: Sequence[str] = ()) -> bool:
    """Whether the task's truth is one for each pixel."""
    target = config["task"]["target"]
    return target is not None and answer_class(target, trusted).dense


def merges(config: dict[str, Any], trusted: Sequence[str] = ()) -> bool:
    """Whether the task's answers to several views of a picture are merged and not averaged."""
    target = config["task"]["target"]
    return target is not None and answer_class(target, trusted).merges


def judged_by(record: Record, config: dict[str, Any], what: str, trusted: Sequence[str] = ()) -> str:
    """The metric by which averaged answers of a run are judged.

    Args:
        what: is to be averaged, for the error.

    Raises:
        InputError: the run's task answers no probabilities of classes.
    """
    task = task_class(config, trusted)
    if task.judged_by is None:
        raise InputError(
            f"{what}: {record.id} is for {config['task']['name']}; what is averaged are probabilities of classes, "
            "which classification and segmentation give"
        )
    return task.judged_by
