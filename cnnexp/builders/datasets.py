"""The data set that a configuration names, and the loaders around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cnnexp.builders.facts import OF_EVERY_DATA_SET, build_input, find_facts, input_keys, tupled
from cnnexp.builders.recorded import Held, Recorded, classes_of
from cnnexp.builders.target import bind, import_target
from cnnexp.data.apart import Apart
from cnnexp.data.base import DataSet
from cnnexp.data.facts import Facts
from cnnexp.data.folded import Folded
from cnnexp.data.loading import Data
from cnnexp.data.own_folder import OwnFolder
from cnnexp.data.part import Part
from cnnexp.errors import InputError
from cnnexp.sampling.base import Sampling

OF_DISK = (("in_memory", "auto"), ("workers", 0))
"""Keys that only data on disk reads, with the values that mean nothing is asked."""


def build_dataset(config: Mapping[str, Any], trusted: Sequence[str] = (), held: Held | None = None) -> DataSet:
    """The data set, not yet prepared.

    Args:
        held: what a run wrote down of its data, which this is.

    Raises:
        InputError: a line for every argument that does not fit.
    """
    data, of_input, given_input = config["data"], input_keys(config, trusted), build_input(config, trusted)
    injected = {key: tupled(value) for key, value in data.items() if key in of_input or key in OF_EVERY_DATA_SET}
    stored = getattr(given_input, "stored_size", None)
    if stored is not None:
        injected["image_size"] = stored
    injected["target"] = config["task"]["target"]
    own = {key: value for key, value in data.items() if key not in injected}
    class_ = import_target(data["_target_"], "data", trusted)
    # a key that the root file has for all data sets, and that is null, asks for nothing
    given = {key: value for key, value in own.items() if value is not None or key in bind(class_, {}, own, "data")[0]}
    arguments, problems = bind(class_, given, injected, "data")
    if "in_memory" not in arguments:
        unread = [key for key, default in OF_DISK if data[key] != default]
        name = config["choices"]["data"]
        problems += [f"data.{key}={data[key]}: nothing reads it, data={name} is always in memory" for key in unread]
    if "unreadable" not in arguments and data["unreadable"] != "fail":
        problems.append(f"data.unreadable={data['unreadable']}: nothing reads it; it is for folders of your own")
    if problems:
        raise InputError(*problems)
    dataset: DataSet = class_(**arguments)
    split = data["split"]
    dataset.group = split["group"]
    if held is not None and isinstance(dataset, OwnFolder):
        dataset.refuses_classes = False
    if split["folds"] is not None:
        dataset = Folded(dataset, split["folds"], split["fold"])
    elif dataset.group is not None:
        dataset = Apart(dataset)
    return dataset if held is None else Recorded(dataset, held, classes_of(config), given_input.noun)


def build_data(config: Mapping[str, Any], dataset: DataSet, facts: Facts, sampling: Sampling | None = None) -> Data:
    """The loaders around a prepared data set."""
    data = config["data"]
    return Data(
        dataset=dataset,
        facts=facts,
        batch_size=config["batch_size"],
        part=Part(data["fraction"], data["labels_per_class"]),
        workers=data["workers"],
        seed=config["seed"],
        sampling=sampling,
    )


def prepared_data(config: Mapping[str, Any], trusted: Sequence[str] = (), held: Held | None = None) -> Data:
    """The loaders of a configuration's data, with its files in place.

    Args:
        held: what a run wrote down of its data, which this is.

    Raises:
        InputError: the data cannot be had.
    """
    dataset = build_dataset(config, trusted, held)
    dataset.prepare()
    return build_data(config, dataset, find_facts(config, dataset, trusted))
