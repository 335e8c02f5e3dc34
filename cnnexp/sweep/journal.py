"""A lock for Optuna's journal that ends with its owner, and mends what a kill has left.

Optuna's own locks are files that stay behind when their owner is killed, and hold everybody up for half a minute. And
a kill or a full disk in the middle of a write leaves half a line at the journal's end; the next writer would append to
it, and from then on no process could read the file any more.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock

LAST_BYTES = 1 << 20


class JournalLock(BaseJournalFileLock):
    """An flock beside the journal. Whoever takes it cuts off a line that was not finished."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._path = journal.with_name(f"{journal.name}.lock")
        self._handle: int | None = None

    def acquire(self) -> bool:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        self._handle = handle
        cut_torn_line(self._journal)
        return True

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def cut_torn_line(journal: Path) -> None:
    """Remove what stands behind the last end of a line. Only under the lock: it may be being written."""
    if not journal.exists():
        return
    with journal.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        whole = size
        while whole:
            start = max(0, whole - LAST_BYTES)
            file.seek(start)
            found = file.read(whole - start).rfind(b"\n")
            if found >= 0:
                whole = start + found + 1
                break
            whole = start
        if whole < size:
            file.truncate(whole)


def journal_backend(journal: Path) -> JournalFileBackend:
    """Optuna's journal file under our lock."""
    return JournalFileBackend(str(journal), lock_obj=JournalLock(journal))
