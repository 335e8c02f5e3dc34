"""Weights of a run whose input learnt something else (another vocabulary), brought to what this run's input learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from cnnexp.builders.facts import provisional_facts
from cnnexp.builders.learnt import learnt_facts
from cnnexp.builders.revive import checked_config
from cnnexp.inputs.base import Input
from cnnexp.runs.read import Record


def input_of_run(record: Record, trusted: Sequence[str] = ()) -> Input:
    """The input of a recorded run, with what it learnt.

    Raises:
        InputError: the configuration or what was learnt cannot be read.
    """
    config = checked_config(record)
    return learnt_facts(provisional_facts(config, trusted), record.folder, config).input


def adapted(net: nn.Module, state: Mapping[str, Tensor], own: Input, theirs: Input) -> dict[str, Tensor]:
    """The tensors of a state dict that had to be brought to what the input learnt, by name.

    Args:
        net: new, for ``own``. state: of a net for ``theirs``.
    """
    if own.learnt() == theirs.learnt():
        return {}
    found = {}
    for name, fresh in net.state_dict().items():
        given, layer = state.get(name), net.get_submodule(name.rpartition(".")[0])
        if given is not None and (made := own.adapted(name, layer, given, fresh, theirs)) is not None:
            found[name] = made
    return found
