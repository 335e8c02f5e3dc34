"""Which weights of a run are used: its best ones, or the last ones of a run that ended before it had any."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cnnexp.errors import InputError
from cnnexp.runs.checkpoints import BY_NAME
from cnnexp.runs.find import find_runs, started
from cnnexp.runs.lock import is_locked
from cnnexp.runs.read import Record, inside


@dataclass(frozen=True)
class Kept:
    """Weights that a run keeps.

    Attributes:
        name: best or last. note: a clause for a person, where they are not those that one would expect.
    """

    path: Path
    name: str
    note: str | None = None


def kept_weights(record: Record, wished: str | None = None) -> Kept:
    """The best weights of a run; of one that was stopped before the end of its first epoch the last ones.

    Args:
        wished: best or last, where a person said which.

    Raises:
        InputError: the run has no such weights.
    """
    if record.status == "finished":  # it had both: one that is gone is damage, and nobody's wish
        name = wished or "best"
        return Kept(inside(record.folder, BY_NAME[name]), name)
    there = [name for name, path in BY_NAME.items() if os.path.lexists(record.folder / path)]
    if not there:
        raise InputError(
            f"{record.id} has no weights, as it ended before any were saved; take another run, or go on with it: "
            f"cnnexp resume {record.id}"
        )
    if wished is not None and wished not in there:
        raise InputError(
            f"{record.id} has no {wished} weights, as it was stopped before the end of its first epoch; "
            f"--checkpoint {there[0]} takes its {there[0]} ones"
        )
    name = wished or there[0]
    early = f"stopped before the end of its first epoch{_after(record)}: its last weights are taken"
    return Kept(inside(record.folder, BY_NAME[name]), name, None if name == wished or name == "best" else early)


def newest_with_weights(outputs: Path) -> Path:
    """The run that was begun last, of those that have weights and are not under way.

    Raises:
        InputError: there is none.
    """
    for run in sorted(find_runs([outputs]), key=started, reverse=True):
        if any(os.path.lexists(run / path) for path in BY_NAME.values()) and not is_locked(run):
            return run
    raise InputError(f"last: no run in {outputs} has weights; make one with cnnexp train, or give --outputs DIR")


def _after(record: Record) -> str:
    steps = record.summary.get("steps")
    return f", after step {steps:,}" if isinstance(steps, int) else ""
