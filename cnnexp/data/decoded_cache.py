"""Decoded pictures kept in the cache folder, so that the next run need not decode them again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnexp.data.fetch import cache_folder

log = logging.getLogger(__name__)

_FORMAT = 2  # another number makes every older file unused: raise it when decoding changes


def key_of(files: Sequence[Path], how: object) -> str:
    """A name for these files, as they are now (path, size, time of change), decoded in this way."""
    stamp = hashlib.sha256(json.dumps([_FORMAT, how]).encode())
    for path in files:
        try:
            state = path.stat()
            stamp.update(os.fsencode(f"{path.absolute()}\0{state.st_size}\0{state.st_mtime_ns}\n"))
        except OSError:
            stamp.update(os.fsencode(f"{path.absolute()}\0missing\n"))
    return stamp.hexdigest()[:32]


def load(key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays saved under a key; None if there are none, or if the file is damaged."""
    path = _path(key)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            return {name: saved[name] for name in saved.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        log.warning("%s: damaged (%s); decoding the pictures again", path, error)
        return None


def save(key: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Write the arrays; a disk that is full or read-only costs only the time saved."""
    path = _path(key)
    partial = path.with_name(f".{key}.{uuid.uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as out:
            np.savez(out, **dict[str, Any](arrays))
        os.replace(partial, path)
    except OSError as error:
        log.warning("%s: not kept (%s); the next run decodes again", path, error)
    finally:
        partial.unlink(missing_ok=True)


def _path(key: str) -> Path:
    return cache_folder() / "decoded" / f"{key}.npz"
