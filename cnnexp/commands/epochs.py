"""The weights of a run as they were after its epochs, for techniques that look back over a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.commands.looking import Subject

BEGAN = 0
"""The epoch before the first."""


def epochs_kept(subject: Subject, option: str) -> Mapping[int, str]:
    """The epochs whose weights are there, with the file of each.

    Args:
        option: that asks for them, for errors.

    Raises:
        InputError: there are none.
    """
    from cnnexp.runs.checkpoints import kept_epochs

    if subject.record is None:
        raise InputError(f"{option}: {subject.name} is no run here; it needs one with checkpoint.keep=epochs")
    kept = kept_epochs(subject.record.folder)
    if not kept:
        raise InputError(
            f"{option}: {subject.record.id} kept no weights of its epochs; train it with checkpoint.keep=epochs"
        )
    return kept


def at_epoch(subject: Subject, epoch: int, kept: Mapping[int, str], trusted: Sequence[str]) -> Subject:
    """The same subject with the weights after an epoch, or before the first."""
    import copy
    from dataclasses import replace

    from cnnexp.builders.initial import initial_net
    from cnnexp.builders.revive import checked_config, put_beside, put_weights
    from cnnexp.builders.weights import load_weights
    from cnnexp.runs.read import inside

    assert subject.record is not None
    task = copy.deepcopy(subject.task)
    if epoch == BEGAN:
        net = initial_net(subject.record, checked_config(subject.record), trusted)
        put_weights(task, net.state_dict(), "the first weights")
    else:
        path = inside(subject.record.folder, kept[epoch])
        put_weights(task, load_weights(path), str(path))
        put_beside(task, path)
    return replace(subject, task=task.eval())


def spread_over(epochs: Sequence[int], most: int) -> list[int]:
    """The first and the last epoch, and as many between as there is room for."""
    if len(epochs) <= most:
        return list(epochs)
    return [epochs[round(place * (len(epochs) - 1) / (most - 1))] for place in range(most)]
