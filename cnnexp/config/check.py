"""The composed configuration, checked leaf by leaf and across groups, before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnexp.config.kinds import class_of_input, kind_of_nets
from cnnexp.config.nearest import any_of, few_of
from cnnexp.config.options import (
    PICTURES,
    augmentations_for,
    data_with,
    models_for,
    nets_of,
    option_files,
    task_of_model,
    task_of_target,
    tasks,
    usual_first,
)
from cnnexp.config.rules import problems_of
from cnnexp.config.schema import RUN
from cnnexp.config.signatures import arguments_of
from cnnexp.errors import InputError


def check(config: Mapping[str, Any], folders: Sequence[Path]) -> None:
    """Refuse a configuration that cannot make a run.

    Raises:
        InputError: with a line for each problem.
    """
    problems = problems_of(config, RUN)
    if not problems:
        problems = [
            *(
                _task_and_model(config, folders)
                or _target(config, folders)
                or _task_and_data(config, folders)
                or _inputs(config, folders)
            ),
            *_classes(config),
            *_channels(config),
            *_image_size(config),
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
    wanted = nets_of(str(choices["task"]), folders)
    if own is None or nets_of(own, folders) == wanted:
        return []
    fitting = _nets({wanted}, config, folders)
    there = f"there is model={fitting}" if fitting else "there is none yet; task.nets names another task whose nets fit"
    return [
        f"task={choices['task']}: model={choices['model']} is for {own}, and the net decides the task; "
        f"for {choices['task']} {there}"
    ]


def _target(config: Mapping[str, Any], folders: Sequence[Path]) -> list[str]:
    """A line for a truth that the task does not learn; nobody can say of the user's own, which have dotted names."""
    task, choice = config["task"], str(config["choices"]["task"])
    own = tasks(folders).get(choice, {})
    accepted = task.get("accepts") or ([own["target"]] if "target" in own else [task["target"]])
    if task["target"] in accepted or "." in (task["target"] or ""):
        return []
    expected = any_of("null" if one is None else str(one) for one in accepted)
    return [f"task.target={'null' if task['target'] is None else task['target']}: task={choice} takes {expected}"]


def _task_and_data(config: Mapping[str, Any], folders: Sequence[Path]) -> list[str]:
    target, targets = config["task"]["target"], config["data"]["targets"]
    if target is None or target in targets:
        return []
    choices, name, kind = config["choices"], config["task"]["name"], config["model"]["input"]
    wanted = (
        f"model={choices['model']} is for {name} and needs data with {target}, such as "
        f"data={few_of(data_with(target, folders, kind), 'cnnexp list data')}; "
        f"data={choices['data']} gives {', '.join(targets) or f'{PICTURES} only'}"
    )
    other = [one for one in config["task"].get("accepts") or [] if one in targets]
    if other:
        return [f"{wanted}: task.target={other[0]} takes each class against all others"]
    learning = {task_of_target(given, folders) for given in targets} | {None}
    known = tasks(folders)
    free = {task for task, one in known.items() if one.get("target") is None}
    same = nets_of(str(choices["task"]), folders)
    others = [task for task, one in known.items() if one.get("target") in targets and nets_of(task, folders) == same]
    instead = f", or this net with task={' or '.join(others)}" if others else ""
    return [f"{wanted} and fits model={_nets({one for one in learning if one} | free, config, folders)}{instead}"]


def _inputs(config: Mapping[str, Any], folders: Sequence[Path]) -> list[str]:
    """A line for a net, and one for an augmentation, that is for another kind of input than the data."""
    choices, kind, found = config["choices"], config["data"]["input"], []
    for_nets = kind_of_nets(config["data"])
    if config["model"]["input"] not in (None, kind, for_nets):
        fitting = _nets({nets_of(str(choices["task"]), folders)}, config, folders)
        found.append(
            f"model={choices['model']}: takes {config['model']['input']}{_data_for_net(config, folders)}, and "
            f"data={choices['data']} holds {kind}"
            + (f", which become {for_nets} here" if for_nets != kind else "")
            + (f"; for those there is model={fitting}" if fitting else "")
        )
    if config["augmentation"]["input"] not in (None, kind):
        fitting = any_of(f"augmentation={name}" for name in augmentations_for(kind, folders))
        found.append(
            f"augmentation={choices['augmentation']}: is for {config['augmentation']['input']}, and "
            f"data={choices['data']} holds {kind}; take {fitting}"
        )
    return found


def _data_for_net(config: Mapping[str, Any], folders: Sequence[Path]) -> str:
    """Data that a net takes which is not for pictures, of which there is much."""
    kind = config["model"]["input"]
    fitting = [] if kind == PICTURES else data_with(config["task"]["target"], folders, kind)
    return f" (data={few_of(fitting, 'cnnexp list data')})" if fitting else ""


def _nets(of: set[str], config: Mapping[str, Any], folders: Sequence[Path]) -> str:
    """The nets of some tasks that take the data's input, the usual ones first."""
    return few_of(usual_first(models_for(of, folders, kind_of_nets(config["data"]))), "cnnexp list model")


def _classes(config: Mapping[str, Any]) -> list[str]:
    names, targets = config["data"]["classes"], config["data"]["targets"]
    unknown = [word for word in names if word not in targets] if isinstance(names, Mapping) else []
    given = ", ".join(targets) or "no truth"
    return [f"data.classes.{word}: data={config['choices']['data']} gives {given}" for word in unknown]


def _channels(config: Mapping[str, Any]) -> list[str]:
    data, wanted = config["data"], config["model"].get("in_channels")
    if "channels" not in data:
        return []
    # one or three values come with a grey or colour data set whose data.channels was changed; see inputs/pictures.py
    counts = (data["channels"], 1, *([3] if data["input"] == PICTURES else []))
    found = [
        f"data.{key}={data[key]}: expected {data['channels']} values, one for each channel, or null"
        for key in ("mean", "std")
        if data.get(key) is not None and len(data[key]) not in counts
    ]
    if wanted is not None and wanted != data["channels"]:
        found.append(
            f"model.in_channels={wanted}: data={config['choices']['data']} has samples of {data['channels']} "
            f"channels; data.channels={wanted} converts them"
        )
    return found


def _image_size(config: Mapping[str, Any]) -> list[str]:
    """A line for a size that is left open where the kind of input has none of its own."""
    data = config["data"]
    known = arguments_of(class_of_input(data["input"])).get("image_size")
    if data.get("image_size", "") is not None or known is None or "null" in known.kind:
        return []
    return ["data.image_size=null: expected a list of 2 values, height and width"]


def _decode_size(config: Mapping[str, Any]) -> list[str]:
    size, stored = config["data"].get("image_size"), config["data"]["decode_size"]
    if (
        size is None
        or not isinstance(stored, (list, tuple))
        or all(large >= small for large, small in zip(stored, size, strict=True))
    ):
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
    return [f"accumulate={parts}: a batch of {batch} samples cannot be cut into so many parts; take at most {batch}"]


def uneven_batch(batch: int, processes: int) -> list[str]:
    """A global batch must split evenly over the processes."""
    if batch % processes == 0:
        return []
    below, above = batch // processes * processes, (batch // processes + 1) * processes
    near = f"{below} or {above}" if below else f"{above}"
    return [f"batch_size={batch} does not split evenly over {processes} devices; try {near}"]
