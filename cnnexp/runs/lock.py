"""Whether the process that writes a run is alive: it holds a lock that ends with it, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

NAME = ".lock"


class RunLock:
    """An exclusive lock on a run's folder, held for as long as the process lives or until ``release``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / NAME
        self._handle: int | None = None

    def take(self) -> bool:
        """Take the lock; False when another process holds it.

        Raises:
            OSError: the folder cannot be written, or the lock is a link.
        """
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def fileno(self) -> int:
        """The open file that holds the lock: a process that it is handed to holds the lock too.

        Raises:
            ValueError: the lock is not held.
        """
        if self._handle is None:
            raise ValueError("the lock is not held")
        return self._handle

    def release(self) -> None:
        """Let go of the lock."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_locked(folder: Path) -> bool:
    """True while some process on this machine (or on a disk that shares locks) writes the run."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
