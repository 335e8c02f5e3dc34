"""One configuration → the data, the net and the task of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from cnnexp.augmentation.engine import Augmentation
from cnnexp.builders.dry import refuse_pictures
from cnnexp.builders.target import bind, import_target
from cnnexp.data.base import DataSet, Facts
from cnnexp.data.module import PictureData
from cnnexp.errors import InputError
from cnnexp.tasks.base import Parts, Task
from cnnexp.training.fused import one_kernel
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization, balanced_weights
from cnnexp.training.schedules import Schedule, WarmUp
from cnnexp.training.transfer import Transfer

RESERVED = (
    "_target_",
    "targets",
    "channels",
    "image_size",
    "decode_size",
    "classes",
    "mask_classes",
    "mean",
    "std",
    "fraction",
    "workers",
    "in_memory",
)
"""Keys of every data set; the others are arguments of its class."""
OF_THE_NET = ("dropout", "stochastic_depth")
"""Regularization that a net applies itself, where its class takes an argument of that name."""
RESERVED_OF_MODEL = ("_target_", "weights", "weights_sha256", "normalisation", "match")
"""Keys of every net; the others are its arguments."""


@dataclass(frozen=True)
class Experiment:
    """A run's parts, ready to fit."""

    data: PictureData
    task: Task

    @property
    def facts(self) -> Facts:
        return self.data.facts


def build(config: Mapping[str, Any], trusted: Sequence[str] = (), net: nn.Module | None = None) -> Experiment:
    """Bind every open part of the configuration, then prepare the data and make the net.

    The net's first weights are a function of ``seed``.

    Args:
        net: stands in for the configuration's, where no answer is asked of it.

    Raises:
        InputError: a line for every argument that does not fit; a data set that cannot be had.
    """
    dataset = build_dataset(config, trusted)
    provisional = provisional_facts(config)
    bound = bind_task(config, provisional, trusted)
    if net is None:
        refuse_pictures(config, bound.net, provisional)
    _refuse_transfer(config, bound.transfer())
    dataset.prepare()
    facts = find_facts(config, dataset)
    data, task = build_data(config, dataset, facts), build_task(config, facts, trusted, net)
    if task.parts.augmentation.unlearned:
        task.parts.augmentation.learn(data.split("train"))
    return Experiment(data, task)


def _refuse_transfer(config: Mapping[str, Any], transfer: Transfer) -> None:
    name, hardware = config["choices"]["transfer"], config["hardware"]
    problems = transfer.problems(config["epochs"])
    if transfer.needs_weights and config["model"]["weights"] is None:
        problems.append(
            f"transfer={name}: the net has random weights, which are nothing to transfer; add model.weights=FILE, "
            "model.weights=run:ID or the name of published ones"
        )
    if transfer.stage_rates is not None and config["optimizer"]["stage_rates"] is not None:
        problems.append(
            f"optimizer.stage_rates={config['optimizer']['stage_rates']}: transfer={name} has rates of its own; give "
            "transfer.rate_decay alone, or transfer=none"
        )
    if transfer.one_process and hardware["strategy"] == "ddp":
        problems.append(
            f"transfer={name} takes one process, as weights begin to learn during the run; on several make two runs: "
            "transfer=feature_extractor, then model.weights=run:ID with transfer=none and a lower optimizer.lr"
        )
    if problems:
        raise InputError(*problems)


@dataclass(frozen=True)
class BoundTask:
    """What makes a task, with every argument checked and nothing made yet."""

    task: type[Task]
    net: partial[nn.Module]
    optimizer: partial[torch.optim.Optimizer]
    schedule: Callable[[], Schedule]
    augmentation: partial[Augmentation]
    transfer: partial[Transfer]


def bind_task(config: Mapping[str, Any], facts: Facts, trusted: Sequence[str] = ()) -> BoundTask:
    """Import the classes that the configuration names and bind its keys to their signatures.

    Raises:
        InputError: a line for every argument that does not fit.
    """
    task_class = import_target(config["task"]["_target_"], "task", trusted)
    if not (isinstance(task_class, type) and issubclass(task_class, Task)):
        raise InputError(f"task._target_={config['task']['_target_']}: not a task")
    net, net_problems = net_maker(config, task_class, facts, trusted)
    optimizer, optimizer_problems = _optimizer(config, trusted)
    schedule, schedule_problems = _schedule(config, trusted)
    augmentation, augmentation_problems = _bound(
        config["augmentation"],
        {"seed": config["seed"], "compiled": config["hardware"]["compile"]},
        "augmentation",
        Augmentation,
        trusted,
    )
    transfer, transfer_problems = _bound(config["transfer"], {}, "transfer", Transfer, trusted)
    problems = [*net_problems, *optimizer_problems, *schedule_problems, *augmentation_problems, *transfer_problems]
    problems += _unsupported(config, task_class)
    problems += _class_weights(config, task_class, facts)
    if not augmentation_problems:
        boxes = config["task"]["target"] == "boxes"
        problems += augmentation().unfit(facts.channels, boxes, task_class.uses_mixed_labels)
    if problems:
        raise InputError(*problems)
    return BoundTask(task_class, net, optimizer, schedule, augmentation, transfer)


def build_task(
    config: Mapping[str, Any], facts: Facts, trusted: Sequence[str] = (), net: nn.Module | None = None
) -> Task:
    """The task with its net, for data of these facts; no data is needed.

    Raises:
        InputError: as for ``bind_task``.
    """
    bound = bind_task(config, facts, trusted)
    net, transfer = _seeded(bound.net, config["seed"], config) if net is None else net, bound.transfer()
    transfer.prepare(net)
    parts = Parts(
        net=net,
        optimizer=bound.optimizer,
        schedule=bound.schedule(),
        regularization=_regularization(config["regularization"]),
        augmentation=bound.augmentation(),
        transfer=transfer,
        facts=facts,
        seed=config["seed"],
        epochs=config["epochs"],
        monitor=config["task"]["monitor"],
        mode=config["task"]["mode"],
        stage_rates=transfer.stage_rates or config["optimizer"]["stage_rates"],
        accumulate=config["accumulate"],
        channels_last=config["hardware"]["channels_last"],
    )
    return bound.task(parts)


def build_net(
    config: Mapping[str, Any], facts: Facts, trusted: Sequence[str] = ()
) -> tuple[nn.Module, partial[torch.optim.Optimizer]]:
    """The net alone, with the weights of ``seed``, and what makes its optimizer.

    Raises:
        InputError: as for ``bind_task``.
    """
    bound = bind_task(config, facts, trusted)
    return _seeded(bound.net, config["seed"], config), bound.optimizer


def build_dataset(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> DataSet:
    """The data set, not yet prepared."""
    data = config["data"]
    given = {key: value for key, value in data.items() if key not in RESERVED}
    injected = {key: _tupled(value) for key, value in data.items() if key in RESERVED}
    injected["image_size"] = _decode_size(data) or injected["image_size"]
    class_ = import_target(data["_target_"], "data", trusted)
    arguments, problems = bind(class_, given, injected, "data")
    if "in_memory" not in arguments:
        unread = [key for key, default in (("in_memory", "auto"), ("workers", 0)) if data[key] != default]
        name = config["choices"]["data"]
        problems += [f"data.{key}={data[key]}: nothing reads it, data={name} is always in memory" for key in unread]
    if problems:
        raise InputError(*problems)
    return class_(**arguments)


def build_data(config: Mapping[str, Any], dataset: DataSet, facts: Facts) -> PictureData:
    """The loaders around a prepared data set."""
    data = config["data"]
    return PictureData(
        dataset=dataset,
        facts=facts,
        batch_size=config["batch_size"],
        fraction=data["fraction"],
        workers=data["workers"],
        seed=config["seed"],
    )


def provisional_facts(config: Mapping[str, Any]) -> Facts:
    """What the configuration alone says of the data; two classes where only the user's folder knows."""
    data = config["data"]
    channels, (height, width) = data["channels"], data["image_size"]
    unknown = ("0", "1")
    return Facts(
        name=str(config["choices"]["data"]),
        channels=channels,
        height=height,
        width=width,
        classes=tuple(data["classes"] or unknown),
        targets=tuple(data["targets"]),
        mean=_for_channels(data["mean"] or [0.5], channels),
        std=_for_channels(data["std"] or [0.25], channels),
        mask_classes=tuple(data.get("mask_classes") or (unknown if "mask" in data["targets"] else ())),
        decode_size=_decode_size(data),
    )


def _decode_size(data: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width that pictures are stored at, where that is not the net's size."""
    given, size = data["decode_size"], tuple(data["image_size"])
    stored = size if given is None else given if isinstance(given, (list, tuple)) else [round(given * s) for s in size]
    return None if tuple(stored) == size else (stored[0], stored[1])


def _for_channels(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """A value for each channel: grey pictures shown as colour keep theirs, colour shown as grey has the average."""
    if len(values) == channels:
        return tuple(values)
    return (sum(values) / len(values),) * channels


def find_facts(config: Mapping[str, Any], dataset: DataSet) -> Facts:
    """The facts of a prepared data set, with the classes found in the user's folder where there is one."""
    facts = provisional_facts(config)
    classes = config["data"]["classes"] or dataset.class_names() or ()
    masks = config["data"].get("mask_classes") or dataset.mask_class_names() or ()
    return replace(facts, classes=tuple(classes), mask_classes=tuple(masks))


def with_classes(config: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    """The configuration with the names of the classes that were found, so that a run's folder stands on its own."""
    named = {"classes": list(facts.classes), "mask_classes": list(facts.mask_classes)}
    return {**config, "data": {**config["data"], **named}}


def with_class_weights(config: Mapping[str, Any], data: PictureData, task: Task) -> dict[str, Any]:
    """The configuration with ``balanced`` replaced by the numbers that it means for this training data."""
    if config["regularization"]["class_weights"] != "balanced":
        return dict(config)
    weights = [round(weight, 6) for weight in balanced_weights(task.class_counts(data))]
    return {**config, "regularization": {**config["regularization"], "class_weights": weights}}


def net_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the configuration has for the net itself."""
    return {key: value for key, value in config["model"].items() if key not in RESERVED_OF_MODEL}


def net_maker(
    config: Mapping[str, Any], task_class: type[Task], facts: Facts, trusted: Sequence[str] = ()
) -> tuple[partial[nn.Module], list[str]]:
    """What makes the net for this data, and a line for every argument that does not fit."""
    regularization, model = config["regularization"], config["model"]
    class_ = import_target(model["_target_"], "model", trusted)
    given = net_arguments(config)
    injected: dict[str, Any] = {
        "in_channels": facts.channels,
        "num_classes": task_class.num_outputs(facts),
        "image_size": (facts.height, facts.width),
        **dict.fromkeys(OF_THE_NET),
    }
    asked = {key: regularization[key] for key in OF_THE_NET if regularization[key] is not None}
    given = {key: value for key, value in given.items() if key not in asked}
    arguments, problems = bind(class_, given, {**injected, **asked}, "model")
    problems += [
        f"regularization.{key}={value}: model={config['choices']['model']} has no place for {key.replace('_', ' ')}; "
        "leave it null, or set regularization.if_unsupported=ignore for a sweep over several nets"
        for key, value in asked.items()
        if key not in arguments and not _ignored(config)
    ]
    return partial(class_, **{key: _tupled(value) for key, value in arguments.items()}), problems


def _unsupported(config: Mapping[str, Any], task_class: type[Task]) -> list[str]:
    """A line for each regularization that the task does not use."""
    regularization = config["regularization"]
    used = {"label_smoothing": task_class.uses_label_smoothing, "class_weights": task_class.uses_class_weights}
    if _ignored(config):
        return []
    return [
        f"regularization.{key}={regularization[key]}: the task {config['task']['name']} does not use it; leave it "
        f"{'0' if key == 'label_smoothing' else 'null'}, or set regularization.if_unsupported=ignore"
        for key, is_used in used.items()
        if regularization[key] and not is_used
    ]


def _class_weights(config: Mapping[str, Any], task_class: type[Task], facts: Facts) -> list[str]:
    weights, classes = config["regularization"]["class_weights"], task_class.num_outputs(facts)
    if not isinstance(weights, (list, tuple)) or len(weights) == classes:
        return []
    return [f"regularization.class_weights: {len(weights)} factors for {classes} classes; give one for each"]


def _regularization(config: Mapping[str, Any]) -> Regularization:
    everything, weights = config["include_biases_and_norms"], config["class_weights"]
    return Regularization(
        penalty=Penalty(config["l1"], config["l2"], everything),
        include_biases_and_norms=everything,
        label_smoothing=config["label_smoothing"],
        class_weights=None if weights is None or isinstance(weights, str) else tuple(weights),
        gradient_clip_norm=config["gradient_clip_norm"],
        max_norm=config["max_norm"],
        ema_decay=config["ema_decay"],
    )


def _ignored(config: Mapping[str, Any]) -> bool:
    return bool(config["regularization"]["if_unsupported"] == "ignore")


def _optimizer(config: Mapping[str, Any], trusted: Sequence[str]) -> tuple[partial[torch.optim.Optimizer], list[str]]:
    class_ = import_target(config["optimizer"]["_target_"], "optimizer", trusted)
    own = {key: value for key, value in config["optimizer"].items() if key not in ("_target_", "stage_rates")}
    given = {key: _tupled(value) for key, value in own.items()}
    arguments, problems = bind(class_, given, {"params": None, **one_kernel(class_, given)}, "optimizer")
    arguments.pop("params", None)
    return partial(class_, **arguments), problems


def _schedule(config: Mapping[str, Any], trusted: Sequence[str]) -> tuple[Callable[[], Schedule], list[str]]:
    """What makes the schedule, and a line for what of it is longer than the run."""
    own = {key: value for key, value in config["scheduler"].items() if key != "warmup_epochs"}
    make, problems = _bound(own, {}, "scheduler", Schedule, trusted)
    epochs, warmup = config["epochs"], config["scheduler"]["warmup_epochs"]
    if problems:
        return make, problems
    if warmup >= epochs:
        problems.append(f"scheduler.warmup_epochs={warmup:g}: the run has {epochs} epochs; take less than that")
    if late := make().longer_than(epochs):
        problems.append(f"scheduler.{late}; shorten the schedule, or make the run longer with epochs=")
    return (lambda: WarmUp(make(), warmup / epochs)) if warmup else make, problems


def _bound(
    group_config: Mapping[str, Any], injected: Mapping[str, Any], group: str, kind: type, trusted: Sequence[str]
) -> tuple[partial[Any], list[str]]:
    class_ = import_target(group_config["_target_"], group, trusted)
    if not (isinstance(class_, type) and issubclass(class_, kind)):
        raise InputError(f"{group}._target_={group_config['_target_']}: not a {kind.__name__}")
    given = {key: value for key, value in group_config.items() if key != "_target_"}
    arguments, problems = bind(class_, given, injected, group)
    return partial(class_, **arguments), problems


def _seeded(make: partial[nn.Module], seed: int, config: Mapping[str, Any]) -> nn.Module:
    torch.manual_seed(seed)
    try:
        net = make()
    except ValueError as error:
        raise InputError(f"model={config['choices']['model']}: {error}") from error
    if not isinstance(net, nn.Module):
        raise InputError("model._target_ made no torch.nn.Module")
    # here and not before the fit, so that a net that is only tested computes as it did in training, to the bit
    memory_format = torch.channels_last if config["hardware"]["channels_last"] else torch.contiguous_format
    return net.to(memory_format=memory_format)


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, (list, tuple)) else value
