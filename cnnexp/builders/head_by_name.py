"""The answers of a run's net go by the names of their classes: put in another run's order, or left fresh for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cnnexp.builders.facts import names_of
from cnnexp.builders.reopen import known_to
from cnnexp.models.auxiliary import parts_of
from cnnexp.models.stages import output_layers
from cnnexp.runs.read import Record


def fresh_answers(net: nn.Module) -> dict[str, Tensor]:
    """Copies of the tensors that depend on which class has which number: of the last layer, and of auxiliary heads."""
    layers, auxiliary = tuple(f"{name}." for name in output_layers(net)), parts_of(net)
    return {key: value.clone() for key, value in net.state_dict().items() if key.startswith((*layers, *auxiliary))}


def put_by_name(
    net: nn.Module, fresh: Mapping[str, Tensor], loaded: Sequence[str], source: Record, config: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """Bring a net that has a run's weights to the classes of another run.

    The same classes in another order: rows of the last layer change places, and auxiliary heads are fresh. Other
    classes: both are fresh. A net whose last layer has other rows than one for each class says them by a method
    ``class_rows(numbers)``; where several layers answer, by their names.

    Args:
        fresh: as ``fresh_answers`` before the weights were put in. loaded: names of the tensors that were.
        source: the run that they are of. config: of the run that is begun, with its classes.

    Returns:
        Names of the tensors that were put in order, and of those that are fresh again.
    """
    known, target = known_to(source), config["task"]["target"]
    own = None if target is None else names_of(config)[target]
    if known is None or own is None or known.names == own:
        return [], []
    ordered, again, state = [], [], net.state_dict()
    found = _rows(net, known.names, own)
    with torch.no_grad():
        for key in (one for one in loaded if one in fresh):
            rows = found.get(key.rpartition(".")[0]) if isinstance(found, Mapping) else found
            if rows is not None and not key.startswith(parts_of(net)) and len(state[key]) == len(rows):
                state[key].copy_(state[key][rows].clone())
                ordered.append(key)
            else:
                state[key].copy_(fresh[key])
                again.append(key)
    return ordered, again


def _rows(
    net: nn.Module, theirs: Sequence[str], own: Sequence[str]
) -> list[int] | Mapping[str, Sequence[int]] | None:
    """For each row of the last layer its row in a net with the classes in another order; None for other classes."""
    if sorted(theirs) != sorted(own) or len(set(own)) < len(own):
        return None
    numbers, said = [list(theirs).index(name) for name in own], getattr(net, "class_rows", None)
    return said(numbers) if callable(said) else numbers
