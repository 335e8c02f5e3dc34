"""One file from a folder or a server to the disk: retries, short timeouts, a progress bar, never half a file."""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.callbacks import Callback
from fsspec.core import url_to_fs

from cnnexp.errors import InputError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
STALL_TIMEOUT_S = 30.0  # without a byte
PAUSES_S = (0.5, 2.0)  # before the second and the third try
_TRY_AGAIN_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class DownloadFailed(Exception):
    """The file could not be had from there; the message is the short reason."""


def download_to(address: str, target: Path) -> None:
    """Copy ``address`` (a path, or a URL that fsspec knows) to ``target``, which appears only when it is whole.

    Raises:
        DownloadFailed: it is not there, or the server can't be reached or gives up, three times over.
        InputError: the disk is full.
    """
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with _progress(target.name) as callback:
            _with_retries(address, partial, callback)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def is_url(address: str) -> bool:
    return "://" in address


def _with_retries(address: str, partial: Path, callback: Callback) -> None:
    import aiohttp

    for pause in (*PAUSES_S, None):
        try:
            filesystem, path = url_to_fs(address, **_options(address))
            filesystem.get_file(path, str(partial), callback=callback)
            return
        except (OSError, ValueError, ImportError, aiohttp.ClientError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise InputError(
                    f"{partial.parent}: no space left; free some, or name another folder in CNNEXP_DATA_DIR"
                ) from error
            reason, again = _judge(error)
            if pause is None or not again:
                raise DownloadFailed(reason) from error
            log.info("%s: %s; trying again", address, reason)
            time.sleep(pause)


def _options(address: str) -> dict[str, Any]:
    if not address.startswith(("http://", "https://")):
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(
        total=None, connect=2 * CONNECT_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S, sock_read=STALL_TIMEOUT_S
    )  # connect includes the look-up of the name
    # trust_env: universities and clusters reach the world through HTTPS_PROXY.
    return {"client_kwargs": {"timeout": timeout, "trust_env": True}}


def _judge(error: Exception) -> tuple[str, bool]:
    """A short reason, and whether another try may help."""
    import aiohttp

    if isinstance(error, aiohttp.ClientResponseError):
        return f"the server answers {error.status}", error.status in _TRY_AGAIN_STATUS
    if isinstance(error, FileNotFoundError):
        return "not there", False
    if isinstance(error, ValueError | ImportError):
        return f"not an address that can be read ({error})", False
    if isinstance(error, TimeoutError):
        return "no answer", False  # minutes of waiting would not be better than saying so now
    if isinstance(error, aiohttp.ClientSSLError):
        return "its certificate is not accepted", False
    if isinstance(error, aiohttp.ClientConnectorError):
        return "cannot connect", False
    if isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError):
        return error.strerror or "not readable", False
    return f"broke off ({type(error).__name__})", True


class _Bar(Callback):
    """fsspec's progress callback on a rich task."""

    def __init__(self, bar: Any, task: Any) -> None:
        super().__init__()
        self.bar, self.task = bar, task

    def set_size(self, size: int | None) -> None:
        self.bar.update(self.task, total=size, completed=0)

    def relative_update(self, inc: int = 1) -> None:
        self.bar.update(self.task, advance=inc)


@contextmanager
def _progress(name: str) -> Iterator[Callback]:
    if not sys.stderr.isatty():
        yield Callback()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar, bar.add_task(name, total=None))
