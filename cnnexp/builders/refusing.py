"""What of a bound configuration does not go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnexp.builders.binding import Bound, BoundRun
from cnnexp.data.facts import Facts
from cnnexp.errors import InputError
from cnnexp.tasks.base import Task
from cnnexp.training.transfer import Transfer


def refuse_unfit(config: Mapping[str, Any], bound: BoundRun, facts: Facts) -> None:
    """Refuse what does not go with data of these facts.

    Raises:
        InputError: a line for each.
    """
    weights, target = config["regularization"]["class_weights"], config["task"]["target"]
    problems = []
    classes = bound.classes(facts, target)
    if target is not None and len(facts.names(target)) < bound.task.least_classes:
        problems.append(
            f"data={facts.name} has one class only ({', '.join(facts.names(target))}), so there is nothing for "
            f"{config['task']['name']} to learn; add samples of another one"
        )
    if facts.named and isinstance(weights, (list, tuple)) and len(weights) != classes:
        problems.append(
            f"regularization.class_weights: {len(weights)} factors for {classes} classes; give one for each"
        )
    unheard = sorted(facts.input.demands - bound.net.wanted)
    if unheard:
        problems.append(
            f"data.{unheard[0]}=true: model={config['choices']['model']} has one answer for a whole "
            f"{facts.input.noun}; take a net that answers for its parts, such as those that ask for {unheard[0]}"
        )
    if bound.loss is not None:
        problems += _loss_problems(config, bound.loss, bound.task)
    learnt = [] if target is None else [facts.targets[target]]
    losses = [] if bound.loss is None else list(bound.loss.parts.values()) or [bound.loss]
    mixes = bool(losses) and all(getattr(loss.make, "mixes", False) for loss in losses)
    problems += facts.input.problems(bound.augmentation(), learnt, mixes)
    if problems:
        raise InputError(*problems)


def _loss_problems(config: Mapping[str, Any], loss: Bound, task: type[Task]) -> list[str]:
    choices = config["choices"]
    name, of = choices["loss"], choices["task"]
    if loss.parts and not task.takes_terms:
        return [f"loss={name}: task={of} takes a single loss; name that one"]
    found = []
    for word, part in loss.parts.items() or [(f"loss={name}", loss)]:
        word = f"loss.parts.{word}" if loss.parts else word
        reads, alone = getattr(part.make, "reads", None), getattr(part.make, "alone", False)
        if None not in (reads, task.hands) and reads != task.hands:
            instead = "leave it out" + ("" if loss.parts else ", and the task brings its own")
            found.append(f"{word}: is of {reads}, and task={of} learns {task.hands}; {instead}")
        elif alone and loss.parts:
            found.append(f"{word}: cannot stand beside other losses; leave it out")
        if config["accumulate"] > 1 and getattr(part.make, "compares", False):
            found.append(
                f"accumulate={config['accumulate']}: {word} compares the samples of a batch with each other, so the "
                "batch cannot be cut; take accumulate=1"
            )
    return found


def refuse_transfer(config: Mapping[str, Any], transfer: Transfer, bound: BoundRun) -> None:
    """Refuse a way to go on learning that does not go with the run.

    Raises:
        InputError: a line for each reason.
    """
    name, parallel = config["choices"]["transfer"], config["hardware"]["strategy"] == "ddp"
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
    if transfer.one_process and parallel:
        problems.append(
            f"transfer={name} takes one process, as weights begin to learn during the run; on several make two runs: "
            "transfer=feature_extractor, then model.weights=run:ID with transfer=none and a lower optimizer.lr"
        )
    if config["regularization"]["sparsity"] is not None and parallel:
        problems.append(
            "regularization.sparsity: the mean activity is one over the whole batch, of which each process sees a "
            "share; give hardware.devices=1"
        )
    if bound.task.one_process and parallel:
        problems.append(
            f"the task {config['task']['name']} takes one process, as its optimizers change parts of the net in turn; "
            "give hardware.devices=1"
        )
    if problems:
        raise InputError(*problems)
