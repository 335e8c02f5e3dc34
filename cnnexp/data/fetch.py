"""Files of a publisher, in the cache: asked from mirrors first, verified, fetched once whoever asks."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import platformdirs
from filelock import FileLock

from cnnexp.data.archives import unpack
from cnnexp.data.download import DownloadFailed, download_to, is_url
from cnnexp.errors import InputError
from cnnexp.inputs.corrupt import CorruptFile

log = logging.getLogger(__name__)
T = TypeVar("T")

DATA_DIR_VARIABLE = "CNNEXP_DATA_DIR"
MIRROR_VARIABLE = "CNNEXP_DATA_MIRROR"
_SIZES = ".sizes.json"


@dataclass(frozen=True)
class Download:
    """One file that a publisher serves.

    ``names[0]`` is its name at the publisher, the others are names that a mirror may hold it under. ``folder`` is its
    folder in a mirror and in the cache. An archive is unpacked, and what counts from then on is the folder. ``instead``
    is the embedded data set to suggest when nothing can be reached.

    ``md5`` is that of the publisher's own file, and checked for that one only: a mirror may have packed the same
    content again, so what it holds is judged by ``verify``, which gets the file or the unpacked folder once, when it
    arrives, and raises CorruptFile.
    """

    folder: str
    names: tuple[str, ...]
    url: str
    archive: bool
    instead: str
    md5: str | None = None
    verify: Callable[[Path], None] | None = None

    @property
    def place(self) -> Path:
        """Where it lies in the cache: the file, or the folder that it was unpacked to."""
        return cache_folder() / self.folder / ("unpacked" if self.archive else self.names[0])


def cache_folder() -> Path:
    """`CNNEXP_DATA_DIR`, or the platform's cache folder for cnnexp."""
    named = os.environ.get(DATA_DIR_VARIABLE)
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("cnnexp"))


def ensure(download: Download, mirror: str | None, read: Callable[[Path], object]) -> None:
    """Have the file in the cache. One that is there already is not read again; ``obtain`` does that."""
    if not download.place.exists():
        obtain(download, mirror, read)


def obtain(download: Download, mirror: str | None, read: Callable[[Path], T]) -> T:
    """Read a file from the cache, fetching it first where it is missing or corrupt.

    Args:
        mirror: folders or URLs that are asked before those of `CNNEXP_DATA_MIRROR` and before the publisher.
        read: takes the cached file (or the folder of an unpacked archive), verifies it, and returns what it holds;
            raises CorruptFile when it is not as published.

    Raises:
        InputError: it can't be had, or is corrupt everywhere; one line with what was tried and what to do.
    """
    place = download.place
    if place.exists():
        try:
            return _read_cached(place, read)
        except CorruptFile as error:
            log.warning("%s; fetching it again", error)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{place}.lock"):
            return _fetch_locked(download, mirror, read)
    except OSError as error:
        raise InputError(
            f"{cache_folder()}: cannot be used as the cache ({error}); name another folder in {DATA_DIR_VARIABLE}"
        ) from error


def addresses(download: Download, mirror: str | None) -> list[str]:
    """Every address to ask for the file, in order: the mirrors, with and without its folder, then the publisher."""
    roots = split_mirrors(mirror) + split_mirrors(os.environ.get(MIRROR_VARIABLE))
    in_mirrors = [
        f"{root.rstrip('/')}/{prefix}{name}"
        for root in roots
        for name in download.names
        for prefix in (f"{download.folder}/", "")
    ]
    return [*dict.fromkeys(in_mirrors), download.url]


def split_mirrors(text: str | None) -> list[str]:
    """Folders and URLs between commas or the platform's path separator (which may be the colon that URLs hold too)."""
    found = []
    for part in (text or "").split(","):
        # A colon before "//" or before a port number belongs to a URL.
        separator = rf"{re.escape(os.pathsep)}(?!//|\d+(?:[/:]|$))" if is_url(part) else re.escape(os.pathsep)
        found += [piece.strip() for piece in re.split(separator, part) if piece.strip()]
    return [piece if is_url(piece) else str(Path(piece).expanduser()) for piece in found]


def md5_of(content: bytes) -> str:
    """For integrity, as publishers state it; not for security."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def fingerprint(folder: Path) -> str:
    """One md5 over the names and contents of all files below a folder."""
    total = hashlib.md5(usedforsecurity=False)
    for name in _sizes(folder):
        total.update(f"{name} {md5_of((folder / name).read_bytes())}\n".encode())
    return total.hexdigest()


def _fetch_locked(download: Download, mirror: str | None, read: Callable[[Path], T]) -> T:
    place = download.place
    if place.exists():  # another process fetched it while this one waited, or it is the corrupt one
        try:
            return _read_cached(place, read)
        except CorruptFile:
            _remove(place)
    for name in {place.name, download.names[0]}:  # halves of a process that was killed; the lock says it is not at work
        for leftover in place.parent.glob(f".{name}.*"):
            _remove(leftover)
    tried: list[str] = []
    for address in _worth_asking(download, mirror, tried):
        try:
            _bring(download, address)
            return _read_cached(place, read)
        except DownloadFailed as error:
            tried.append(f"{address} ({error})")
        except CorruptFile as error:
            tried.append(f"{address} (corrupt: {error})")
            _remove(place)
    wanted = f"{download.folder}/{download.names[0]}"
    raise InputError(
        f"{wanted} could not be had: tried {'; '.join(tried)}. Name a folder or URL that holds it "
        f"in {MIRROR_VARIABLE}, or run without a network: {download.instead}"
    )


def _worth_asking(download: Download, mirror: str | None, tried: list[str]) -> Iterator[str]:
    """The addresses, less the files that local mirrors don't hold; such a mirror is mentioned once."""
    for address in addresses(download, mirror):
        if is_url(address) or Path(address).is_file():
            yield address
        elif address.endswith(f"{download.folder}/{download.names[0]}"):
            tried.append(f"{address} (not there)")


def _bring(download: Download, address: str) -> None:
    place = download.place
    staged = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}")
    packed = place.with_name(download.names[0]) if download.archive else staged
    try:
        log.info("fetching %s", address)
        download_to(address, packed)
        if download.md5 is not None and address == download.url and md5_of(packed.read_bytes()) != download.md5:
            raise CorruptFile(f"{download.names[0]}: its md5 is not {download.md5}")
        if download.archive:
            unpack(packed, staged)
            (staged / _SIZES).write_text(json.dumps(_sizes(staged)))
        if download.verify is not None:
            download.verify(staged)
        os.replace(staged, place)
    finally:
        packed.unlink(missing_ok=True)
        _remove(staged)


def _read_cached(place: Path, read: Callable[[Path], T]) -> T:
    if place.is_dir():
        _check_sizes(place)
    return read(place)


def _check_sizes(folder: Path) -> None:
    """A file that was cut or removed after unpacking is found without reading all of them."""
    try:
        expected = json.loads((folder / _SIZES).read_text())
    except (OSError, ValueError) as error:
        raise CorruptFile(f"{folder}: its list of files is unreadable ({error})") from error
    actual = _sizes(folder)
    for name, size in expected.items():
        if actual.get(name) != size:
            raise CorruptFile(f"{folder / name}: {actual.get(name, 'no')} bytes instead of {size}")


def _sizes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder).as_posix()): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != _SIZES
    }


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
