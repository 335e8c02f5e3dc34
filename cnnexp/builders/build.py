"""One configuration → the data, the task and the recipe of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from cnnexp.builders.binding import BoundRun, bind_run
from cnnexp.builders.datasets import build_data, build_dataset
from cnnexp.builders.dry import refuse_samples
from cnnexp.builders.facts import find_facts, provisional_facts
from cnnexp.builders.judge_named import judge_for
from cnnexp.builders.learnt import complete
from cnnexp.builders.memory_format import in_order
from cnnexp.builders.recorded import Held
from cnnexp.builders.refusing import refuse_transfer, refuse_unfit
from cnnexp.builders.same_classes import Known, Match, number_as
from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.losses.term import Loss
from cnnexp.tasks.base import Parts, Task
from cnnexp.training.learner import Recipe
from cnnexp.training.penalty import Penalty
from cnnexp.training.regularization import Regularization, class_factors


@dataclass(frozen=True)
class Experiment:
    """A run's parts, ready to fit. What is only tested needs no recipe, and may have classes of its own: ``match``."""

    data: Data
    task: Task
    recipe: Recipe | None = None
    match: Match | None = None

    @property
    def facts(self) -> Facts:
        return self.data.facts


def build(
    config: Mapping[str, Any],
    trusted: Sequence[str] = (),
    net: nn.Module | None = None,
    learnt: Mapping[str, Any] | None = None,
    known: Known | None = None,
    held: Held | None = None,
) -> Experiment:
    """Bind every open part of the configuration, then prepare the data and make the net.

    The net's first weights are a function of ``seed``.

    Args:
        net: stands in for the configuration's, where no answer is asked of it.
        learnt: what the input learnt in an earlier process of the run; None lets it learn now. held: its data to it.
        known: classes that the net is for, of which the data's are some; None for the data's own.

    Raises:
        InputError: a line for every argument that does not fit; a data set that cannot be had.
    """
    dataset, bound = build_dataset(config, trusted, held), bind_run(config, trusted)
    provisional = provisional_facts(config, trusted)
    refuse_unfit(config, bound, provisional)
    if net is None:
        refuse_samples(config, net_for(bound, provisional, config), provisional.input)
    refuse_transfer(config, bound.transfer(), bound)
    dataset.prepare()
    data = build_data(config, dataset, find_facts(config, dataset, trusted), bound.sampling())
    match = None if known is None else number_as(data, config["task"]["target"], known)
    refuse_unfit(config, bound, data.facts)
    data.facts = complete(data, learnt)
    task = make_task(config, bound, data.facts, net)
    learn = getattr(task.preparation, "learn", None)
    if learn is not None:
        learn(data.split("train"))
    task.see(data)
    return Experiment(data, task, make_recipe(config, bound, task), match)


def build_task(
    config: Mapping[str, Any], facts: Facts, trusted: Sequence[str] = (), net: nn.Module | None = None
) -> Task:
    """The task with its net, for data of these facts; no data is needed.

    Raises:
        InputError: a line for every argument that does not fit.
    """
    bound = bind_run(config, trusted)
    refuse_unfit(config, bound, facts)
    return make_task(config, bound, facts, net)


def build_net(
    config: Mapping[str, Any], facts: Facts, trusted: Sequence[str] = ()
) -> tuple[nn.Module, partial[torch.optim.Optimizer]]:
    """The net alone, with the weights of ``seed``, and what makes its optimizer.

    Raises:
        InputError: as for ``build_task``.
    """
    bound = bind_run(config, trusted)
    return _seeded(net_for(bound, facts, config), config), next(iter(bound.optimizers.values()))


def net_for(bound: BoundRun, facts: Facts, config: Mapping[str, Any]) -> partial[nn.Module]:
    """What makes the net for data of these facts."""
    outputs = bound.outputs(facts, config["task"]["target"])
    weights = class_factors(config["regularization"])
    told = {"num_classes": outputs, "unclassed": bound.task.unclassed, "class_weights": weights}
    given = {**facts.input.told(), **told}
    arguments = {key: value for key, value in given.items() if key in bound.net.wanted}
    return partial(bound.net.make, **arguments, **bound.net.arguments)


def make_task(config: Mapping[str, Any], bound: BoundRun, facts: Facts, net: nn.Module | None = None) -> Task:
    """The task of a bound configuration."""
    made = _seeded(net_for(bound, facts, config), config) if net is None else net
    preparation = facts.input.preparation(
        bound.augmentation(),
        list(facts.targets.values()),
        seed=config["seed"],
        centred=bound.task.normalises,
        channels_last=config["hardware"]["channels_last"],
    )
    target = config["task"]["target"]
    parts = Parts(made, facts, preparation, target, _loss(config, bound, facts), config["seed"], judge_for(config))
    return bound.task(parts, **bound.of_task)


def make_recipe(config: Mapping[str, Any], bound: BoundRun, task: Task) -> Recipe:
    """How the task's net is learnt; what never learns is taken from the optimizers-to-be."""
    transfer = bound.transfer()
    transfer.prepare(task.net)
    return Recipe(
        optimizers=bound.optimizers,
        schedule=bound.schedule(),
        regularization=_regularization(config["regularization"]),
        seed=config["seed"],
        epochs=config["epochs"],
        monitor=config["task"]["monitor"],
        mode=config["task"]["mode"],
        stage_rates=transfer.stage_rates or config["optimizer"]["stage_rates"],
        accumulate=config["accumulate"],
        transfer=transfer,
    )


def _loss(config: Mapping[str, Any], bound: BoundRun, facts: Facts) -> Loss | None:
    if bound.loss is None:
        return None
    classes, regularization = bound.classes(facts, config["task"]["target"]), config["regularization"]
    smoothing, weights = regularization["label_smoothing"], class_factors(regularization)
    try:
        loss: Loss = bound.loss(num_classes=classes, label_smoothing=smoothing, class_weights=weights)
    except ValueError as error:
        raise InputError(str(error)) from error
    return loss


def _regularization(config: Mapping[str, Any]) -> Regularization:
    everything = config["include_biases_and_norms"]
    return Regularization(
        penalty=Penalty(config["l1"], config["l2"], everything),
        include_biases_and_norms=everything,
        gradient_clip_norm=config["gradient_clip_norm"],
        max_norm=config["max_norm"],
        max_norm_of=config["max_norm_of"],
        ema_decay=config["ema_decay"],
    )


def _seeded(make: partial[nn.Module], config: Mapping[str, Any]) -> nn.Module:
    torch.manual_seed(config["seed"])
    try:
        net = make()
    except ValueError as error:
        raise InputError(f"model={config['choices']['model']}: {error}") from error
    if not isinstance(net, nn.Module):
        raise InputError("model._target_ made no torch.nn.Module")
    # here and not before the fit, so that a net that is only tested computes as it did in training, to the bit
    return in_order(net, config["hardware"]["channels_last"])
