"""Files that are either the old ones or the new ones, whatever happens in between."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BLOCK_BYTES = 4096
"""What a file system hands out at least: up to here a file may grow on a full disk."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; when the block ends well, it takes the place of ``path``.

    The content reaches the disk before the name does. A block that fails leaves the old file as it was.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Replace the file's text."""
    _write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file's content."""
    _write(path, lambda temporary: temporary.write_bytes(content))


def write_json(path: Path, content: Any) -> None:
    """Replace the file by readable JSON. Numbers that are not finite become null, so that any reader takes it."""
    write_text(path, _json(content))


def overwrite_json(path: Path, content: Any) -> None:
    """As ``write_json``, but in place: for a full disk, which has no room for a second file.

    Raises:
        OSError: not even that is possible; the file is as it was.
    """
    text = _json(content).encode()
    with path.open("r+b") as file:
        old = path.stat().st_size
        if len(text) > max(old, -(-old // BLOCK_BYTES) * BLOCK_BYTES):
            raise OSError(errno.ENOSPC, "no room for a longer text", str(path))
        file.write(text)
        file.truncate()


def _json(content: Any) -> str:
    return json.dumps(_finite(content), indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, write: Callable[[Path], object]) -> None:
    with replacing(path) as temporary:
        write(temporary)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
