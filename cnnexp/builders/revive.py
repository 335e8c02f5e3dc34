"""A recorded run → its task with the trained weights. The run's folder may be a stranger's: nothing in it executes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cnnexp.builders.build import build_task
from cnnexp.builders.facts import provisional_facts
from cnnexp.builders.learnt import learnt_facts
from cnnexp.builders.weights import load_beside, load_weights
from cnnexp.config.earlier import brought_up
from cnnexp.config.rules import problems_of
from cnnexp.config.schema import RUN
from cnnexp.errors import InputError
from cnnexp.runs.read import Record
from cnnexp.runs.weights import kept_weights
from cnnexp.tasks.base import Task


def checked_config(record: Record) -> dict[str, Any]:
    """The run's frozen configuration, with the keys that its version did not know, as strictly checked as a new one.

    Raises:
        InputError: a line for each problem.
    """
    config = brought_up(record.config)
    problems = problems_of(config, RUN)
    if problems:
        raise InputError(*(f"{record.id}: config.yaml: {problem}" for problem in problems))
    return config


def revive(
    record: Record,
    config: Mapping[str, Any],
    checkpoint: str | None = None,
    trusted: Sequence[str] = (),
    shown: tuple[int, ...] | None = None,
) -> Task:
    """The run's task with the best weights, in evaluation mode; see ``kept_weights``.

    Args:
        config: the run's, or one with other data and the run's classes. checkpoint: best or last, where
            a person said which. shown: as in ``Facts``, for data that has fewer classes.

    Raises:
        InputError: there are no such weights, they are damaged, or they do not fit the net.
    """
    path = kept_weights(record, checkpoint).path
    facts = learnt_facts(provisional_facts(config, trusted), record.folder, config)
    task = build_task(config, replace(facts, shown=shown), trusted)
    put_weights(task, load_weights(path), str(path))
    put_beside(task, path)
    return task.eval()


def put_beside(task: Task, path: Path) -> None:
    """Load what a checkpoint has beside the net: weights of the task's loss, and what a validation decided.

    Raises:
        InputError: names or shapes differ.
    """
    parts = {"loss": (task.loss, "weights of another loss"), "decided": (task.decided, "decided by another task")}
    for part, (module, problem) in parts.items():
        if module is None or not module.state_dict():
            continue
        try:
            module.load_state_dict(load_beside(path, part))
        except RuntimeError as error:
            raise InputError(f"{path}: {problem}") from error


def put_weights(task: Task, weights: Mapping[str, torch.Tensor], source: str) -> None:
    """Load a state dict into the task's net, all of it or nothing.

    Raises:
        InputError: names or shapes differ; it says how many fit.
    """
    own = task.net.state_dict()
    fitting = [name for name in weights if name in own and own[name].shape == weights[name].shape]
    if len(fitting) != len(own) or len(weights) != len(own):
        other = next((name for name in [*own, *weights] if name not in fitting), "")
        raise InputError(f"{source}: weights of another net: {len(fitting)} of its {len(own)} tensors fit, not {other}")
    task.net.load_state_dict(weights)
