"""The open parts of a configuration bound to the signatures of what they build, once, before any data is touched.

What only the data knows (how many classes, say) is handed over when something is made.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from cnnexp.augmentation.operations import KINDS, VOCABULARY
from cnnexp.builders.facts import build_input, input_class, tupled
from cnnexp.builders.target import bind, import_target
from cnnexp.config.loss_parts import WEIGHT
from cnnexp.config.nearest import any_of, did_you_mean
from cnnexp.data.facts import Facts
from cnnexp.errors import InputError
from cnnexp.sampling.base import Sampling
from cnnexp.tasks.base import Task
from cnnexp.training.fused import one_kernel
from cnnexp.training.schedules import Schedule, WarmUp
from cnnexp.training.transfer import Transfer

OF_THE_NET = ("dropout", "stochastic_depth", "sparsity")
"""Regularization that a net applies itself, where its class takes an argument of that name."""
CLASS_WEIGHTS = "class_weights"
OF_THE_LOSS = ("label_smoothing", CLASS_WEIGHTS)
"""Regularization that a loss applies, where its class takes an argument of that name; the class weights also a net that
brings its own loss."""
OF_THE_TASK = ("sparsity", "sparsity_weight")
"""Regularization that a task adds to its loss, where its class takes an argument of that name."""
RESERVED_OF_MODEL = ("_target_", "input", "weights", "weights_sha256", "normalisation", "match")
"""Keys of every net; the others are its arguments."""
RESERVED_OF_TASK = ("_target_", "name", "target", "monitor", "mode", "accepts", "nets")
"""Keys of every task; the others are its arguments, and those of a net or a loss that asks for one of the same name."""
_LATER = object()
_OF_LOSSES = dict.fromkeys(("num_classes", *OF_THE_LOSS), _LATER)


@dataclass(frozen=True)
class Bound:
    """A class with checked arguments, the names of those that it is to be given when it is made, and what it is made
    of, by name."""

    make: Callable[..., Any]
    arguments: Mapping[str, Any]
    wanted: frozenset[str] = frozenset()
    parts: Mapping[str, Bound] = field(default_factory=dict)

    def __call__(self, **given: Any) -> Any:
        """The object; of what is given it gets what it asked for."""
        made = {"parts": {name: part(**given) for name, part in self.parts.items()}} if self.parts else {}
        return self.make(**{key: value for key, value in given.items() if key in self.wanted}, **self.arguments, **made)

    @property
    def all_wanted(self) -> frozenset[str]:
        """With what its parts are to be given."""
        return self.wanted.union(*(part.wanted for part in self.parts.values()))


@dataclass(frozen=True)
class BoundRun:
    """What makes the parts of a run, with every argument checked and nothing made yet."""

    task: type[Task]
    of_task: Mapping[str, Any]
    net: Bound
    loss: Bound | None
    optimizers: Mapping[str, partial[torch.optim.Optimizer]]
    schedule: Callable[[], Schedule]
    augmentation: Callable[[], Any]
    transfer: Callable[[], Transfer]
    sampling: Callable[[], Sampling]

    def outputs(self, facts: Facts, target: str | None) -> int:
        """How many numbers the net answers for data of these facts."""
        key = self.task.sized_by
        return self.task.num_outputs(facts, target) if key is None else self.of_task[key]

    def classes(self, facts: Facts, target: str | None) -> int:
        """How many classes the loss tells apart."""
        return self.task.num_outputs(facts, target) - self.task.unclassed


def bind_run(config: Mapping[str, Any], trusted: Sequence[str] = ()) -> BoundRun:
    """Import the classes that the configuration names and bind its keys to their signatures.

    Raises:
        InputError: a line for every argument that does not fit.
    """
    problems: list[str] = []
    task = import_target(config["task"]["_target_"], "task", trusted)
    bound = BoundRun(
        task=task,
        of_task=_of_task(config, task, problems),
        net=_net(config, trusted, problems),
        loss=_loss(config, trusted, problems),
        optimizers=_optimizers(config, task.turns, trusted, problems),
        schedule=_schedule(config, trusted, problems),
        augmentation=_augmentation(config, trusted, problems),
        transfer=_simple(config, "transfer", trusted, problems),
        sampling=_simple(config, "sampling", trusted, problems),
    )
    problems += _unused(config, bound)
    if problems:
        raise InputError(*problems)
    return bound


def net_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the configuration has for the net itself."""
    return {key: value for key, value in config["model"].items() if key not in RESERVED_OF_MODEL}


def task_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the configuration has for the task itself."""
    return {key: tupled(value) for key, value in config["task"].items() if key not in RESERVED_OF_TASK}


def _of_task(config: Mapping[str, Any], task: type[Task], problems: list[str]) -> dict[str, Any]:
    given = task_arguments(config)
    asked = {key: config["regularization"][key] for key in OF_THE_TASK}
    arguments, found = bind(task, given, {"parts": _LATER, **asked}, "task")
    problems += found
    return {key: tupled(value) for key, value in arguments.items() if value is not _LATER}


def _net(config: Mapping[str, Any], trusted: Sequence[str], problems: list[str]) -> Bound:
    class_ = import_target(config["model"]["_target_"], "model", trusted)
    asked = {key: config["regularization"][key] for key in OF_THE_NET}
    given = {key: value for key, value in net_arguments(config).items() if asked.get(key) is None}
    later = {*_told(config, trusted), "num_classes", "unclassed", CLASS_WEIGHTS}
    return _bound(class_, given, {**dict.fromkeys(later, _LATER), **asked, **task_arguments(config)}, "model", problems)


def _told(config: Mapping[str, Any], trusted: Sequence[str]) -> set[str]:
    """Names of what nets are told of such input."""
    return set(build_input(config, trusted).told())


def _loss(config: Mapping[str, Any], trusted: Sequence[str], problems: list[str]) -> Bound | None:
    given = {key: value for key, value in config["loss"].items() if key != "_target_"}
    if config["loss"]["_target_"] is None:
        problems += _unread("loss", given)
        return None
    class_ = import_target(config["loss"]["_target_"], "loss", trusted)
    parts, known = given.get("parts"), {**_OF_LOSSES, **task_arguments(config)}
    if not isinstance(parts, Mapping):
        return _bound(class_, given, known, "loss", problems)
    given["weights"] = {name: part[WEIGHT] for name, part in parts.items()}
    whole = _bound(class_, given, known, "loss", problems)
    return replace(
        whole,
        arguments={key: value for key, value in whole.arguments.items() if key != "parts"},
        parts={name: _part(name, part, known, trusted, problems) for name, part in parts.items()},
    )


def _part(
    name: str, keys: Mapping[str, Any], known: Mapping[str, Any], trusted: Sequence[str], problems: list[str]
) -> Bound:
    """One of several losses. ``known``: what it is given where it asks for it."""
    class_ = import_target(keys["_target_"], "loss", trusted)
    given = {key: value for key, value in keys.items() if key not in ("_target_", WEIGHT)}
    return _bound(class_, given, known, f"loss.parts.{name}", problems)


def _bound(
    class_: Any, given: Mapping[str, Any], injected: Mapping[str, Any], group: str, problems: list[str]
) -> Bound:
    arguments, found = bind(class_, given, injected, group)
    problems += found
    wanted = frozenset(key for key, value in arguments.items() if value is _LATER)
    return Bound(class_, {key: tupled(value) for key, value in arguments.items() if key not in wanted}, wanted)


def _unused(config: Mapping[str, Any], bound: BoundRun) -> list[str]:
    """A line for each regularization that neither the net nor the loss has a place for."""
    regularization = config["regularization"]
    if regularization["if_unsupported"] == "ignore":
        return []
    net = [
        f"regularization.{key}={regularization[key]}: model={config['choices']['model']} has no place for "
        f"{key.replace('_', ' ')}; leave it null, or set regularization.if_unsupported=ignore for a sweep over several "
        "nets"
        for key in OF_THE_NET
        if regularization[key] is not None and key not in bound.net.arguments
    ]
    taken = bound.net.wanted if bound.loss is None else bound.loss.all_wanted
    return net + [
        f"regularization.{key}={regularization[key]}: the task {config['task']['name']} does not use it; leave it "
        f"{'0' if key == 'label_smoothing' else 'null'}, or set regularization.if_unsupported=ignore"
        for key in OF_THE_LOSS
        if regularization[key] and key not in taken
    ]


def _optimizers(
    config: Mapping[str, Any], turns: Sequence[str], trusted: Sequence[str], problems: list[str]
) -> dict[str, partial[torch.optim.Optimizer]]:
    """An optimizer for each turn of the task: the group's keys, and those that ``of`` has for this one."""
    group = config["optimizer"]
    class_ = import_target(group["_target_"], "optimizer", trusted)
    own = {key: tupled(value) for key, value in group.items() if key not in ("_target_", "stage_rates", "of")}
    unknown = [name for name in group["of"] if name not in turns]
    if unknown:
        there = ", ".join(turn for turn in turns if turn) or "this task has a single one"
        problems += [f"optimizer.of.{name}: no optimizer of that name; {there}" for name in unknown]
    problems += bind(class_, own, {"params": None}, "optimizer")[1]
    made = {}
    for turn in turns:
        of_turn = {key: tupled(value) for key, value in group["of"].get(turn, {}).items()}
        whole = {"params": None, **one_kernel(class_, {**own, **of_turn}), **own}
        arguments, found = bind(class_, of_turn, whole, f"optimizer.of.{turn}")
        problems += found
        arguments.pop("params", None)
        made[turn] = partial(class_, **arguments)
    return made


def _schedule(config: Mapping[str, Any], trusted: Sequence[str], problems: list[str]) -> Callable[[], Schedule]:
    """What makes the schedule, with a line for what of it is longer than the run."""
    own = {key: value for key, value in config["scheduler"].items() if key not in ("_target_", "warmup_epochs")}
    class_ = import_target(config["scheduler"]["_target_"], "scheduler", trusted)
    arguments, found = bind(class_, own, {}, "scheduler")
    problems += found
    make = partial(class_, **arguments)
    epochs, warmup = config["epochs"], config["scheduler"]["warmup_epochs"]
    if found:
        return make
    if warmup >= epochs:
        problems.append(f"scheduler.warmup_epochs={warmup:g}: the run has {epochs} epochs; take less than that")
    if late := make().longer_than(epochs):
        problems.append(f"scheduler.{late}; shorten the schedule, or make the run longer with epochs=")
    return (lambda: WarmUp(make(), warmup / epochs)) if warmup else make


def _augmentation(config: Mapping[str, Any], trusted: Sequence[str], problems: list[str]) -> Callable[[], Any]:
    """What makes the augmentation, each of its operations bound on its own; None where there is none."""
    group = config["augmentation"]
    injected = {"seed": config["seed"], "compiled": config["hardware"]["compile"], "operations": _LATER}
    given = {key: value for key, value in group.items() if key not in ("_target_", "input")}
    if group["_target_"] is None:
        problems += _unread("augmentation", given)
        return _without(config, trusted)
    class_ = import_target(group["_target_"], "augmentation", trusted)
    if "operations" not in inspect.signature(class_).parameters:
        arguments, found = bind(class_, given, injected, "augmentation")
        problems += found
        return partial(class_, **arguments)
    made = {name: _operation(name, keys, trusted, problems) for name, keys in given.items()}
    arguments, found = bind(class_, {}, injected, "augmentation")
    problems += found
    arguments["operations"] = {name: one for name, one in made.items() if one is not None}
    return partial(class_, **arguments)


def _unread(group: str, given: Mapping[str, Any]) -> list[str]:
    """A line for each key of a group that names no class."""
    return [f"{group}.{key}: nothing reads it, as {group}._target_ is null; choose another {group}" for key in given]


def _without(config: Mapping[str, Any], trusted: Sequence[str]) -> Callable[[], Any]:
    """No augmentation: the input makes of it what its samples need all the same."""
    plain = getattr(input_class(config, trusted), "plain", None)
    if plain is None:
        return lambda: None
    return partial(plain, seed=config["seed"], compiled=config["hardware"]["compile"])


def _operation(name: str, keys: Any, trusted: Sequence[str], problems: list[str]) -> Any:
    """One operation of the vocabulary, or of a package of the user's; None where its keys do not fit."""
    own = isinstance(keys, Mapping) and "_target_" in keys
    if not own and name not in VOCABULARY:
        problems.append(f"augmentation.{name}: nothing reads it; {did_you_mean(name, VOCABULARY)}")
        return None
    class_ = import_target(keys["_target_"], "operation", trusted) if own else VOCABULARY[name]
    given = {key: tupled(value) for key, value in keys.items() if key != "_target_"}
    arguments, found = bind(class_, given, {}, f"augmentation.{name}")
    problems += found
    made = None if found else class_(**arguments)
    if own and made is not None and not isinstance(made, KINDS):
        kinds = any_of(f"{one.__module__}.{one.__name__}" for one in KINDS)
        problems.append(f"augmentation.{name}: {class_.__name__} is no operation; it is to have what {kinds} has")
    return made


def _simple(config: Mapping[str, Any], group: str, trusted: Sequence[str], problems: list[str]) -> Callable[[], Any]:
    class_ = import_target(config[group]["_target_"], group, trusted)
    given = {key: value for key, value in config[group].items() if key != "_target_"}
    arguments, found = bind(class_, given, {}, group)
    problems += found
    return partial(class_, **arguments)
