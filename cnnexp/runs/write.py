"""Making a run's folder and writing its record. Only the process of rank 0 does this."""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnexp.errors import DiskFull, InputError
from cnnexp.paths import PACKAGE
from cnnexp.runs.atomic import overwrite_json, write_json, write_text
from cnnexp.runs.checkpoints import CHECKPOINTS
from cnnexp.runs.lock import RunLock
from cnnexp.runs.provenance import git_state, versions
from cnnexp.runs.read import SCHEMA_VERSION, read_json, refuse_links

FREE_BYTES_AT_LEAST = 20_000_000
FULL = (errno.ENOSPC, errno.EDQUOT)
DISK_FULL = "the disk is full"
"""Stands in the error of a run that ended so."""


def now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class RunWriter:
    """The record of one run, open for writing.

    Args:
        lock: taken, or about to be. made: the topmost folder that had to be made for the run's, if any.

    Attributes:
        started: the run is under way. Until then nothing of an existing run was changed, and a new one can go.
    """

    def __init__(self, folder: Path, lock: RunLock, made: Path | None = None) -> None:
        self.folder = folder
        self.started = False
        self._lock = lock
        self._made = made
        self._config_text: str | None = None
        self._note: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        return self.folder.name

    @classmethod
    def create(
        cls, config: Mapping[str, Any], config_text: str, command: Sequence[str], parent: str | None = None
    ) -> RunWriter:
        """Make a new folder with the frozen configuration in it and ``status: running``.

        Raises:
            InputError: the outputs folder cannot be written, or its disk is full; nothing is left behind.
        """
        outputs = writable_folder(Path(config["outputs"]))
        made = _first_missing(outputs)
        try:
            outputs.mkdir(parents=True, exist_ok=True)
            folder = _new_folder(outputs, config["choices"])
        except OSError as error:
            _remove_empty(made, outputs)
            raise disk_error(error, outputs) from error
        try:
            writer = cls(folder, RunLock(folder), made)
            writer._lock.take()
            writer._begin(config, config_text, command, parent)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            _remove_empty(made, outputs)
            raise disk_error(error, outputs) from error
        return writer

    def _begin(self, config: Mapping[str, Any], config_text: str, command: Sequence[str], parent: str | None) -> None:
        for name in (CHECKPOINTS, "pictures"):
            (self.folder / name).mkdir()
        write_text(self.folder / "config.yaml", config_text)
        git, diff = git_state(PACKAGE)
        if diff:
            write_text(self.folder / "git.diff", diff)
        created = now()
        record = {
            "schema_version": SCHEMA_VERSION,
            "id": self.id,
            "name": config["name"],
            "status": "running",
            "partial": False,
            "command": list(command),
            "choices": dict(config["choices"]),
            "seed": config["seed"],
            "parent": parent,
            "created": created,
            "started": created,
            "finished": None,
            "duration_s": None,
            "host": platform.node(),
            "pid": os.getpid(),
            "platform": platform.platform(),
            "versions": versions(),
            "git": git,
            "error": None,
        }
        write_json(self.folder / "run.json", record)

    @classmethod
    def reopen(cls, folder: Path, config_text: str, command: Sequence[str], overrides: Sequence[str]) -> RunWriter:
        """Open an existing run to go on with it; nothing is written before ``start``.

        Raises:
            InputError: another process is writing it, or something in it leads to another place.
        """
        refuse_links(folder)
        lock = RunLock(folder)
        try:
            free = lock.take()
        except OSError as error:
            raise disk_error(error, folder) from error
        if not free:
            raise InputError(f"{folder.name} is still running; wait for it, or stop it with Ctrl-C where it runs")
        writer = cls(folder, lock)
        writer._config_text = config_text
        writer._note = {"command": list(command), "overrides": list(overrides)}
        return writer

    def update(self, **fields: Any) -> None:
        """Change fields of run.json."""
        record = read_json(self.folder / "run.json")
        write_json(self.folder / "run.json", {**record, **fields})

    def start(self) -> None:
        """The run begins, or begins again: it is marked as running, with a note of how it was gone on with.

        Raises:
            InputError: the folder cannot be written, or its disk is full.
        """
        self.started = True
        if self._note is None or self._config_text is None:
            return
        try:
            record = read_json(self.folder / "run.json")
            note = {"time": now(), **self._note, "was": record.get("status")}
            changes = {"status": "running", "error": None, "started": now(), "finished": None, "pid": os.getpid()}
            resumed = [*(record.get("resumed") or []), note]
            write_text(self.folder / "config.yaml", self._config_text)
            write_json(self.folder / "run.json", {**record, **changes, "host": platform.node(), "resumed": resumed})
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def finish(self, status: str, duration_s: float, *, partial: bool = False, error: str | None = None) -> None:
        """Write how the run ended, and let go of it.

        This is written even where the disk is full: in place then, into the room that the file has already.
        """
        path = self.folder / "run.json"
        try:
            record = read_json(path)
            fields = {"status": status, "partial": partial, "finished": now(), "error": error}
            earlier = record.get("duration_s") or 0.0
            record = {**record, **fields, "duration_s": round(earlier + duration_s, 3)}
            try:
                write_json(path, record)
            except OSError as full:
                if full.errno not in FULL:
                    raise
                overwrite_json(path, record)
        finally:
            self._lock.release()

    def let_go(self) -> None:
        """Leave an existing run as it was, which could not be gone on with."""
        self._lock.release()

    def copy(self, files: Iterable[Path], folder: Path) -> None:
        """Copy files of another run, each to the place that it has there.

        Raises:
            InputError: the disk is full.
        """
        try:
            for file in files:
                shutil.copyfile(file, self.folder / file.relative_to(folder))
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Replace summary.json."""
        write_json(self.folder / "summary.json", dict(summary))

    def discard(self) -> None:
        """Remove the folder, and those that were made for it: for a run that could not begin."""
        self._lock.release()
        shutil.rmtree(self.folder, ignore_errors=True)
        _remove_empty(self._made, self.folder.parent)


def writable_folder(folder: Path, option: str = "outputs=FOLDER") -> Path:
    """Make sure that a folder can be made and written; nothing is left behind, the folder is not made either.

    Args:
        option: how the person names another one.

    Raises:
        InputError: it cannot be made or written, or its disk is nearly full.
    """
    there = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), Path())
    try:
        if there == folder and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "there is a file of this name")
        with tempfile.TemporaryDirectory(dir=there, prefix=".probe-") as probe:
            Path(probe, "file").write_bytes(b"x")
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise disk_error(error, folder, option) from error
    if free < FREE_BYTES_AT_LEAST:
        raise disk_error(OSError(errno.ENOSPC, "full"), folder, option)
    return folder


def _first_missing(folder: Path) -> Path | None:
    missing = None
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing = path
    return missing


def _remove_empty(made: Path | None, below: Path) -> None:
    """Remove folders that were made for nothing, from the lowest up to ``made``; one with anything in it stays."""
    for path in (below, *below.parents) if made is not None else ():
        with suppress(OSError):
            path.rmdir()
        if path == made:
            return


def disk_error(error: OSError, folder: Path, option: str = "outputs=FOLDER") -> InputError:
    """The one line for a folder that cannot be written."""
    if error.errno in FULL:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(there).free / 1e6
        return DiskFull(f"{folder}: {DISK_FULL} ({free:.0f} MB free): free some space, or set {option}")
    return InputError(f"{folder} cannot be written ({error.strerror or error}): set {option} to one that can")


def _new_folder(outputs: Path, choices: Mapping[str, Any]) -> Path:
    """An exclusively made folder with a name of its own: two runs of one second never share one."""
    words = [re.sub(r"[^A-Za-z0-9_.]+", "_", str(choices[group])) for group in ("model", "data")]
    while True:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        folder = outputs / "-".join([stamp, *words, secrets.token_hex(2)])
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
