"""The run that ``model.weights=run:…`` names, and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnexp.runs.find import LATEST, is_run, open_run
from cnnexp.runs.read import Record
from cnnexp.runs.weights import Kept, kept_weights, newest_with_weights

RUN = "run:"


@dataclass(frozen=True)
class Source:
    """A run with weights to start from."""

    record: Record
    kept: Kept

    @property
    def described(self) -> str:
        """In words, with what is unusual about it."""
        return f"run {self.record.id}" + (f" ({self.kept.note})" if self.kept.note else "")


def run_of_file(path: Path | None) -> Record | None:
    """The run that a checkpoint lies in the folder of; None for any other file."""
    folder = None if path is None else path.absolute().parent.parent
    if path is None or folder is None or path.suffix != ".ckpt" or not is_run(folder):
        return None
    return open_run(str(folder), Path())


def source_run(config: Mapping[str, Any]) -> Source:
    """The run that the configuration's ``model.weights`` names; ``last`` is the newest one that has weights.

    Raises:
        InputError: there is none, its record is damaged, or it has no weights.
    """
    text, outputs = config["model"]["weights"].removeprefix(RUN), Path(config["outputs"])
    record = open_run(str(newest_with_weights(outputs).absolute()) if text == LATEST else text, outputs)
    return Source(record, kept_weights(record))
