"""Unpacking tar and zip files that come from strangers."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO

from cnnexp.inputs.corrupt import CorruptFile

MAX_UNPACKED_BYTES = 64 * 2**30
"""An archive that claims more is refused: a few kilobytes can claim any size."""

_Member = tuple[str, int, Callable[[], IO[bytes] | None]]
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, LZMAError, RuntimeError, NotImplementedError)


def unpack(archive: Path, target: Path, most_bytes: int = MAX_UNPACKED_BYTES) -> None:
    """Write the files of a tar (any compression) or zip under ``target``, a new folder.

    Only plain files are written, never a link, a device, or permissions; so an archive can neither leave ``target`` nor
    prepare a later file to leave it.

    Args:
        most_bytes: that the archive may claim to hold, and so write.

    Raises:
        CorruptFile: not a whole archive; or it holds a link, an absolute path, a path with "..", or too much.
    """
    target.mkdir(parents=True)
    total = 0
    try:
        for name, size, open_member in _members(archive):
            total += size
            if total > most_bytes:
                raise CorruptFile(f"{archive.name}: unpacks to more than {most_bytes / 2**30:.3g} GiB; refused")
            path = target / _inside(archive, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            source = open_member()
            assert source is not None, name
            with source, path.open("xb") as out:
                shutil.copyfileobj(source, out, 2**20)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise CorruptFile(f"{archive.name}: holds the same name twice ({error.filename})") from error
    except _BROKEN as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        raise CorruptFile(f"{archive.name}: not a whole archive ({reason})") from error


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    else:
        yield from _tar_members(archive)


def _tar_members(archive: Path) -> Iterator[_Member]:
    # BadGzipFile is an OSError; as one of tarfile's own errors it can't be taken for trouble with the disk.
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                if member.isdir():
                    _inside(archive, member.name)
                elif not member.isreg():
                    raise CorruptFile(f"{archive.name}: {member.name} is a link or a device; refused")
                else:
                    yield member.name, member.size, lambda member=member: tar.extractfile(member)  # type: ignore[misc]
    except OSError as error:
        if error.errno is not None:
            raise
        raise tarfile.ReadError(str(error)) from error


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir():
                _inside(archive, member.filename)
            elif kind not in (0, stat.S_IFREG):
                raise CorruptFile(f"{archive.name}: {member.filename} is a link or a device; refused")
            else:
                yield member.filename, member.file_size, lambda member=member: packed.open(member)  # type: ignore[misc]


def _inside(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name.split("/")[0] or "\0" in name:
        raise CorruptFile(f"{archive.name}: the path {name!r} leads out of the archive; refused")
    return path
