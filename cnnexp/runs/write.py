"""Making a run's folder and writing its record. Only the process of rank 0 does this."""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnexp.errors import InputError
from cnnexp.paths import PACKAGE
from cnnexp.runs.atomic import write_json, write_text
from cnnexp.runs.lock import RunLock
from cnnexp.runs.provenance import git_state, versions
from cnnexp.runs.read import SCHEMA_VERSION, read_json

FREE_BYTES_AT_LEAST = 20_000_000


def now() -> str:
    """The time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class RunWriter:
    """The record of one run, open for writing."""

    def __init__(self, folder: Path, lock: RunLock) -> None:
        self.folder = folder
        self._lock = lock

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
        folder = _new_folder(outputs, config["choices"])
        try:
            writer = cls(folder, RunLock(folder))
            writer._lock.take()
            writer._begin(config, config_text, command, parent)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise disk_error(error, outputs) from error
        return writer

    def _begin(self, config: Mapping[str, Any], config_text: str, command: Sequence[str], parent: str | None) -> None:
        for name in ("checkpoints", "pictures"):
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
    def reopen(cls, folder: Path) -> RunWriter:
        """Open an existing run to go on with it.

        Raises:
            InputError: another process is writing it.
        """
        lock = RunLock(folder)
        try:
            free = lock.take()
        except OSError as error:
            raise disk_error(error, folder) from error
        if not free:
            raise InputError(f"{folder.name} is still running; wait for it, or stop it with Ctrl-C where it runs")
        return cls(folder, lock)

    def update(self, **fields: Any) -> None:
        """Change fields of run.json."""
        record = read_json(self.folder / "run.json")
        write_json(self.folder / "run.json", {**record, **fields})

    def restart(self, command: Sequence[str], overrides: Sequence[str]) -> None:
        """Mark the run as running again, and keep a note of how it was gone on with."""
        record = read_json(self.folder / "run.json")
        note = {"time": now(), "command": list(command), "overrides": list(overrides), "was": record.get("status")}
        self.update(
            status="running",
            error=None,
            started=now(),
            finished=None,
            pid=os.getpid(),
            host=platform.node(),
            resumed=[*record.get("resumed", []), note],
        )

    def finish(self, status: str, duration_s: float, *, partial: bool = False, error: str | None = None) -> None:
        """Write how the run ended, and let go of it."""
        earlier = read_json(self.folder / "run.json").get("duration_s") or 0.0
        self.update(
            status=status,
            partial=partial,
            finished=now(),
            duration_s=round(earlier + duration_s, 3),
            error=error,
        )
        self._lock.release()

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Replace summary.json."""
        write_json(self.folder / "summary.json", dict(summary))

    def discard(self) -> None:
        """Remove the folder: for a run that could not begin."""
        self._lock.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def writable_folder(folder: Path) -> Path:
    """Make the folder if need be and make sure that a run can be written into it.

    Raises:
        InputError: it cannot be made or written, or its disk is nearly full.
    """
    made = _first_missing(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{secrets.token_hex(4)}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise disk_error(error, folder) from error
    if shutil.disk_usage(folder).free < FREE_BYTES_AT_LEAST:
        _remove_empty(made)
        raise disk_error(OSError(errno.ENOSPC, "full"), folder)
    return folder


def _first_missing(folder: Path) -> Path | None:
    missing = None
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing = path
    return missing


def _remove_empty(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def disk_error(error: OSError, folder: Path) -> InputError:
    """The one line for a folder that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(folder if folder.exists() else folder.parent).free / 1e6
        return InputError(f"{folder}: the disk is full ({free:.0f} MB free): free some space, or set outputs=FOLDER")
    return InputError(f"{folder} cannot be written ({error.strerror or error}): set outputs=FOLDER to one that can")


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
        except OSError as error:
            raise disk_error(error, outputs) from error
        return folder
