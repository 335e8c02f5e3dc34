"""From what a person types to a run's folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from cnnexp.config.nearest import did_you_mean
from cnnexp.errors import InputError
from cnnexp.runs.checkpoints import CHECKPOINTS
from cnnexp.runs.read import Record, read_json, read_record

DEPTH = 4
LATEST = "last"
"""The word for the run that was begun last."""
_MOST_NAMED = 4


def is_run(folder: Path) -> bool:
    """A folder that is, or was meant to be, a run."""
    if os.path.isfile(os.path.join(folder, "run.json")):
        return True
    return (folder / "config.yaml").is_file() and (folder / CHECKPOINTS).is_dir()


def find_runs(paths: Iterable[Path]) -> list[Path]:
    """All run folders at or below the paths, oldest first by name; links are not followed."""
    found: dict[Path, None] = {}
    for path in paths:
        for run in _below(path, DEPTH):
            found.setdefault(run)
    return sorted(found, key=lambda run: run.name)


def _below(folder: Path, depth: int) -> list[Path]:
    if is_run(folder):
        return [folder]
    if depth == 0 or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith("."))
    return [run for name in names for run in _below(folder / name, depth - 1)]


def resolve(text: str, outputs: Path) -> Path:
    """The folder of a run given as a folder, an id, a unique beginning (or ``BEGINNING..END``) of an id, or ``last``.

    Raises:
        InputError: there is none, or several begin so.
    """
    if os.sep in text or text in (".", ".."):
        folder = Path(text)
        if is_run(folder):
            return folder
        raise InputError(f"{text}: not a run's folder (a run holds run.json and config.yaml)")
    runs = find_runs([outputs])
    if not runs:
        if is_run(Path(text)):
            return Path(text)
        raise InputError(f"{text}: there are no runs in {outputs}; make one with cnnexp train, or give --outputs DIR")
    if text == LATEST:
        return max(runs, key=started)
    return _by_id(text, runs, outputs)


def _by_id(text: str, runs: list[Path], outputs: Path) -> Path:
    fitting = [run for run in runs if run.name == text] or [run for run in runs if _fits(run.name, text)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(run.name for run in fitting[:_MOST_NAMED])
        more = ", …" if len(fitting) > _MOST_NAMED else ""
        raise InputError(f"{text}: {len(fitting)} runs begin so ({names}{more}); give more")
    if is_run(Path(text)):
        return Path(text)
    hint = did_you_mean(text, (run.name for run in runs), most_listed=_MOST_NAMED) if len(runs) < 1000 else ""
    raise InputError(f"{text}: there is no such run in {outputs}; {hint or 'cnnexp compare lists them'}")


def _fits(name: str, text: str) -> bool:
    """Whether an id begins so, or begins and ends so: ``20261121-093105..3f9a``."""
    beginning, _, end = text.partition("..")
    return name.startswith(beginning) and name.endswith(end)


def started(run: Path) -> tuple[str, str]:
    """When a run was begun, and its id: what runs are ordered by."""
    try:
        record = read_json(run / "run.json")
    except (OSError, ValueError):
        return ("", run.name)
    return (str(record.get("started") or record.get("created") or ""), run.name)


def open_run(text: str, outputs: Path) -> Record:
    """The record of a run that will be used, not only listed.

    Raises:
        InputError: there is no such run, or its record is damaged.
    """
    record = read_record(resolve(text, outputs))
    if record.status == "foreign":
        raise InputError(f"{record.folder}: no run of cnnexp ({record.problem})")
    if record.status == "damaged":
        raise InputError(
            f"{record.folder}: the run's record is damaged ({record.problem}), so it cannot be used; "
            "take another run, or put the file back"
        )
    return record
