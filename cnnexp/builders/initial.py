"""A recorded run's net as it was before its first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from cnnexp.builders.build import build_task
from cnnexp.builders.counted_anew import count_anew
from cnnexp.builders.facts import provisional_facts
from cnnexp.builders.learnt import learnt_facts
from cnnexp.builders.starting import start
from cnnexp.builders.word_vectors import put_vectors
from cnnexp.runs.read import Record


def initial_net(record: Record, config: Mapping[str, Any], trusted: Sequence[str] = ()) -> nn.Module:
    """The net with the weights that the run began with, made anew: a function of its seed, and of what
    ``model.weights`` names.

    Another release of torch may draw other numbers from the same seed.

    Args:
        config: the run's, brought up to now.

    Raises:
        InputError: weights that it began with are not there any more.
    """
    facts = learnt_facts(provisional_facts(config, trusted), record.folder, config)
    task = build_task(config, facts, trusted)
    beside = {**config, "outputs": str(record.folder.parent)}  # where other runs are found
    put_vectors(task.net, beside, facts.input, trusted)
    begun = start(task.net, beside, trusted, facts.input)
    if begun is not None:
        count_anew(task.net, begun)
    return task.net.eval()
