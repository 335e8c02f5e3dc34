"""The net of a run whose task is ``metric``, asked for embeddings of files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnexp.commands.arguments import weights_named
from cnnexp.errors import InputError
from cnnexp.paths import outputs_folder
from cnnexp.runs.find import open_run
from cnnexp.runs.read import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cnnexp.tasks.metric import MetricLearning
    from cnnexp.tasks.verification import Threshold


@dataclass(frozen=True)
class Embedder:
    """A run's net.

    Attributes:
        threshold: from which similarity on two files are of one identity. net: digest of its weights.
    """

    record: Record
    task: MetricLearning
    threshold: Threshold
    net: str

    def embeddings(self, files: Sequence[Path]) -> list[NDArray[np.float32]]:
        """Of each file, (d,).

        Raises:
            InputError: a line for each that cannot be read, and none was asked about.
        """
        import torch

        batches: list[dict[str, Any]] = []
        problems: list[str] = []
        for path in files:
            try:
                batches.append(self.task.facts.input.read(path))
            except InputError as error:
                problems.extend(error.lines)
        if problems:
            raise InputError(*problems)
        with torch.no_grad():
            return [self.task.predict(self.task.prepare(batch, train=False))[0] for batch in batches]

    def said(self) -> str:
        """What the threshold came to in the validation, in a sentence."""
        one = self.threshold
        return (
            f"in the validation {one.false_accepts:.2%} of {one.different:,} pairs of two identities were taken for "
            f"one, and {one.false_rejects:.2%} of {one.same:,} pairs of one for two"
        )


def open_embedder(arguments: argparse.Namespace) -> Embedder:
    """The run that the arguments name.

    Raises:
        InputError: its task answers no embeddings, or no validation has chosen a threshold.
    """
    record = open_run(arguments.run, outputs_folder(arguments.outputs))
    arguments.checkpoint = weights_named(record, arguments.checkpoint)

    from cnnexp.builders.revive import checked_config, revive
    from cnnexp.builders.weights import digest_of
    from cnnexp.tasks.metric import MetricLearning

    config = checked_config(record)
    task = revive(record, config, arguments.checkpoint, arguments.trust)
    if not isinstance(task, MetricLearning):
        raise InputError(
            f"{record.id}: its task is {config['task']['name']}, whose net answers no embeddings; take a run of "
            "task=metric"
        )
    threshold = task.decided.threshold
    if threshold is None:
        raise InputError(
            f"{record.id}: no validation has chosen a threshold for these weights; cnnexp resume {record.id} goes on "
            "to the end of an epoch"
        )
    return Embedder(record, task, threshold, digest_of(task.net.state_dict()))
