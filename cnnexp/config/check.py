"""The composed configuration, checked leaf by leaf and across groups, before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnexp.config.nearest import few_of
from cnnexp.config.options import data_with, models_for, option_files, task_of_model
from cnnexp.config.schema import RUN, problems_of
from cnnexp.errors import InputError

TASK_OF_TARGET = {"label": "classification", "mask": "segmentation", "boxes": "detection"}
NETS_OF = {"multi_label": "classification"}
"""Tasks that take the nets of another one."""
USUAL = ("lenet5", "resnet20", "resnet18", "resnet50", "conv_autoencoder")
"""Nets that are named first where many would fit."""


def check(config: Mapping[str, Any], folders: Sequence[Path]) -> None:
    """Refuse a configuration that cannot make a run.

    Raises:
        InputError: with a line for each problem.
    """
    problems = problems_of(config, RUN)
    if not problems:
        problems = [
            *(_task_and_model(config, folders) or _task_and_data(config, folders)),
            *_channels(config),
            *_decode_size(config),
            *_uneven_batch(config),
            *_parts_of_a_batch(config),
        ]
    if problems:
        raise InputError(*problems)


def _task_and_model(config: Mapping[str, Any], folders: Sequence[Path]) -> list[str]:
    choices = config["choices"]
    path = option_files("model", folders).get(choices["model"])
    own = task_of_model(path) if path is not None else None
    task = str(choices["task"])
    if own is None or own == NETS_OF.get(task, task):
        return []
    fitting = few_of(_usual_first(models_for({NETS_OF.get(task, task)}, folders)), "cnnexp list model")
    return [
        f"task={choices['task']}: model={choices['model']} is for {own}, and the net decides the task; "
        f"for {choices['task']} there is model={fitting}"
    ]


def _task_and_data(config: Mapping[str, Any], folders: Sequence[Path]) -> list[str]:
    target, targets = config["task"]["target"], config["data"]["targets"]
    if target is None or target in targets:
        return []
    choices, name = config["choices"], config["task"]["name"]
    wanted = (
        f"model={choices['model']} is for {name} and needs data with {target}, such as "
        f"data={few_of(data_with(target, folders), 'cnnexp list data')}; "
        f"data={choices['data']} gives {', '.join(targets) or 'pictures only'}"
    )
    if name == "multi_label" and "label" in targets:
        return [f"{wanted}: task.target=label takes each class against all others"]
    fitting = models_for({TASK_OF_TARGET[given] for given in targets} | {"autoencoder"}, folders)
    return [f"{wanted} and fits model={few_of(_usual_first(fitting), 'cnnexp list model')}"]


def _usual_first(nets: Sequence[str]) -> list[str]:
    return sorted(nets, key=lambda name: USUAL.index(name) if name in USUAL else len(USUAL))


def _channels(config: Mapping[str, Any]) -> list[str]:
    data, wanted = config["data"], config["model"].get("in_channels")
    found = [
        f"data.{key}={data[key]}: expected {data['channels']} values, one for each channel, or null"
        for key in ("mean", "std")
        # one or three values come with a grey or colour data set whose data.channels was changed; see builders
        if data[key] is not None and len(data[key]) not in (data["channels"], 1, 3)
    ]
    if wanted is not None and wanted != data["channels"]:
        found.append(
            f"model.in_channels={wanted}: data={config['choices']['data']} has pictures of {data['channels']} "
            f"channels; data.channels={wanted} converts them"
        )
    return found


def _decode_size(config: Mapping[str, Any]) -> list[str]:
    size, stored = config["data"]["image_size"], config["data"]["decode_size"]
    if not isinstance(stored, (list, tuple)) or all(large >= small for large, small in zip(stored, size, strict=True)):
        return []
    return [
        f"data.decode_size={list(stored)}: smaller than data.image_size={list(size)}, which is cropped out of it; "
        "null stores pictures as large as the net takes them"
    ]


def _uneven_batch(config: Mapping[str, Any]) -> list[str]:
    hardware, batch = config["hardware"], config["batch_size"]
    if not isinstance(hardware["devices"], int) or not isinstance(hardware["nodes"], int):
        return []
    return uneven_batch(batch, hardware["devices"] * hardware["nodes"])


def _parts_of_a_batch(config: Mapping[str, Any]) -> list[str]:
    parts, batch = config["accumulate"], config["batch_size"]
    if parts <= batch:
        return []
    return [f"accumulate={parts}: a batch of {batch} pictures cannot be cut into so many parts; take at most {batch}"]


def uneven_batch(batch: int, processes: int) -> list[str]:
    """A global batch must split evenly over the processes."""
    if batch % processes == 0:
        return []
    below, above = batch // processes * processes, (batch // processes + 1) * processes
    near = f"{below} or {above}" if below else f"{above}"
    return [f"batch_size={batch} does not split evenly over {processes} devices; try {near}"]
