"""Puts features in the place of pictures for a run whose net is frozen up to its head; the test sees pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cnnexp.builders.build import Experiment
from cnnexp.data.memory import MEMORY_BUDGET
from cnnexp.errors import InputError
from cnnexp.fit.estimate import describe_bytes
from cnnexp.training.features import (
    Features,
    FeatureSplit,
    Tail,
    bytes_of,
    features_of,
    find_tail,
    fingerprint_of,
)

AUTOCAST: Mapping[str, torch.dtype | None] = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
"""What the frozen part computes in, as in training; the other precisions are not kept."""
_TIMED_STEPS = 3


@dataclass(frozen=True)
class Plan:
    """Features that can be kept: the tail that takes them, or why they cannot."""

    tail: Tail | None
    why_not: str | None = None


def plan_features(experiment: Experiment, config: Mapping[str, Any]) -> Plan | None:
    """Whether this run's features can be computed once; None where nothing asks for it.

    Raises:
        InputError: ``transfer.cache=true``, and they cannot.
    """
    wanted = False if experiment.recipe is None else experiment.recipe.transfer.caches
    if wanted is False:
        return None
    plan = _plan(experiment, config, limited=wanted == "auto")
    if wanted is True and plan.why_not is not None:
        raise InputError(f"transfer.cache=true: {plan.why_not}")
    return plan


def _plan(experiment: Experiment, config: Mapping[str, Any], limited: bool) -> Plan:
    task, hardware = experiment.task, config["hardware"]
    if task.preparation.augments:
        name = config["choices"]["augmentation"]
        return Plan(None, f"augmentation={name} makes other pictures in every epoch; augmentation=none has the same")
    if not task.takes_features:
        return Plan(None, f"the task {config['task']['name']} takes no features")
    if hardware["devices"] * hardware["nodes"] > 1:
        return Plan(None, "features are kept in one process only; hardware.devices=1")
    if hardware["precision"] not in AUTOCAST:
        return Plan(None, f"not in hardware.precision={hardware['precision']}; fp32 or bf16")
    first = experiment.data.train_positions()[:2]
    prepared = task.prepare(experiment.data.split("train").batch(torch.from_numpy(first)), train=False)
    (pictures, *others) = experiment.facts.input.arguments(prepared)
    if others:
        return Plan(None, "the net takes more than one tensor")
    tail = find_tail(task.net, pictures)
    if tail is None:
        return Plan(None, f"what follows the features of model={config['choices']['model']} is not a row of modules")
    size = _size(experiment, tail, pictures)
    if limited and size > MEMORY_BUDGET:
        return Plan(None, f"they take {describe_bytes(size)} of memory; transfer.cache=true keeps them all the same")
    return Plan(tail)


def remember_features(experiment: Experiment, config: Mapping[str, Any], tail: Tail) -> str:
    """Compute the features of the pictures to train and to validate with, and put them in their place.

    The test, and what is saved, are of the whole net.

    Returns:
        A line on what it took and what it saves.
    """
    task, data = experiment.task, experiment.data
    began = time.perf_counter()
    found = []
    positions = {
        "train": torch.from_numpy(data.train_positions()),
        "val": torch.arange(len(data.split("val"))),
    }
    device = torch.device("cuda" if config["hardware"]["accelerator"] == "gpu" else "cpu")
    task.to(device)
    how = _how(experiment, config)
    fills = {key: one.fills.get(key, 0) for one in data.facts.targets.values() for key in one.keys}
    for name in ("train", "val"):
        split, picked = data.split(name), positions[name]
        one = features_of(split, picked, _computing(experiment, config, tail, device), data.batch_size, how, fills)
        data.replace_split(name, FeatureSplit(split, picked, one.features, one.truth))
        found.append(one)
    task.tail = tail
    return _said(experiment, found, time.perf_counter() - began)


def _computing(experiment: Experiment, config: Mapping[str, Any], tail: Tail, device: torch.device) -> Any:
    task, lower = experiment.task, AUTOCAST[config["hardware"]["precision"]]

    def compute(batch: dict[str, Tensor]) -> Tensor:
        prepared = task.prepare({name: value.to(device) for name, value in batch.items()}, train=False)
        (pictures,) = task.facts.input.arguments(prepared)
        with torch.autocast(device.type, lower, enabled=lower is not None):
            return tail.features(task.net, pictures).cpu()

    task.eval()
    return compute


def _how(experiment: Experiment, config: Mapping[str, Any]) -> object:
    """Everything but the pictures that decides the features, to the last bit."""
    net, facts = experiment.task.net, experiment.facts
    frozen = {name for name, parameter in net.named_parameters() if not parameter.requires_grad}
    body = {name: value for name, value in net.state_dict().items() if name in frozen or "running_" in name}
    model = {key: value for key, value in config["model"].items() if key not in ("weights", "weights_sha256")}
    hardware = {key: config["hardware"][key] for key in ("accelerator", "precision", "threads", "channels_last")}
    return [fingerprint_of(body), model, hardware, str(facts.input), torch.__version__]


def _size(experiment: Experiment, tail: Tail, pictures: Tensor) -> int:
    net = experiment.task.net
    training = net.training
    net.eval()
    features = tail.features(net, pictures)
    net.train(training)
    count = len(experiment.data.train_positions()) + len(experiment.data.split("val"))
    return bytes_of(features.shape[1:], count, features.element_size())


def _said(experiment: Experiment, found: list[Features], spent_s: float) -> str:
    count = sum(len(one.features) for one in found)
    once_s = sum(one.seconds for one in found)
    took = f"once in {once_s:.1f} s"
    if all(one.from_disk for one in found):
        took = f"in an earlier run, read in {spent_s:.1f} s"
    size = sum(one.features.nbytes for one in found)
    return (
        f"features of {count:,} pictures computed {took} ({describe_bytes(size)}); an epoch now takes about "
        f"{_epoch_s(experiment):.2g} s instead of {once_s:.2g} s or more"
    )


def _epoch_s(experiment: Experiment) -> float:
    """Seconds of the head's part of an epoch, from a few steps; nothing is changed by it."""
    task, data = experiment.task, experiment.data
    size = min(data.batch_size, len(data.train_positions()))
    batch = data.split("train").batch(torch.from_numpy(data.train_positions()[:size]))
    batch = {name: value.to(task.device) for name, value in batch.items()}
    best = float("inf")
    for _ in range(_TIMED_STEPS):
        began = time.perf_counter()
        task.step(task.prepare(batch, train=False), "train").learnt.backward()
        best = min(best, time.perf_counter() - began)
    task.zero_grad(set_to_none=True)
    return best * (len(data.train_positions()) + len(data.split("val"))) / size
